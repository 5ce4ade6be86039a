//! Identifiers as SQL text.

/// Words that need quotes in some position: all keywords of PostgreSQL 17 and 18 that are not `UNRESERVED_KEYWORD` in
/// kwlist.h. A single string, because an array of strings needs pointers that must be relocated on load.
const KEYWORDS: &str = "\
    all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast char character check coalesce collate collation column concurrently constraint create cross \
    current_catalog current_date current_role current_schema current_time current_timestamp current_user dec \
    decimal default deferrable desc distinct do else end except exists extract false fetch float for foreign freeze \
    from full grant greatest group grouping having ilike in initially inner inout int integer intersect interval \
    into is isnull join json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar \
    json_serialize json_table json_value lateral leading least left like limit localtime localtimestamp \
    merge_action national natural nchar none normalize not notnull null nullif numeric offset on only or order out \
    outer overlaps overlay placing position precision primary real references returning right row select \
    session_user setof similar smallint some substring symmetric system_user table tablesample then time timestamp \
    to trailing treat trim true union unique user using values varchar variadic verbose when where window with \
    xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize \
    xmltable";

/// The name as an identifier, quoted unless it is plain lower case and not a keyword.
#[must_use]
pub fn quote_ident(name: &str) -> String {
    let mut bytes = name.bytes();
    let plain = bytes
        .next()
        .is_some_and(|first| first.is_ascii_lowercase() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    // Most of our own names have a digit, which no keyword has.
    let is_word = name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if plain && !(is_word && is_one_of(name, KEYWORDS)) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// True if the word is in a list of words that blanks separate.
#[must_use]
pub fn is_one_of(word: &str, words: &str) -> bool {
    words.split(' ').any(|known| known == word)
}

/// `schema.name`, quoted if necessary. A CTE has no schema.
#[must_use]
pub fn qualified(schema: &str, name: &str) -> String {
    if schema.is_empty() {
        return quote_ident(name);
    }
    format!("{}.{}", quote_ident(schema), quote_ident(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_needs_it() {
        for (name, quoted) in [
            ("a1_b", "a1_b"),
            ("_x", "_x"),
            ("1a", "\"1a\""),
            ("", "\"\""),
            ("Order", "\"Order\""),
            ("order", "\"order\""),
            ("varchar", "\"varchar\""),
            ("name", "name"),
            ("a\"b", "\"a\"\"b\""),
            ("été", "\"été\""),
            ("a b", "\"a b\""),
        ] {
            assert_eq!(quote_ident(name), quoted);
        }
        assert_eq!(qualified("My", "t"), "\"My\".t");
    }
}
