//! Breaks SQL over lines, so that a diff shows the clause that changed. Blanks become line breaks; nothing else
//! changes.

/// A clause that starts on a line of its own.
const CLAUSES: [&str; 28] = [
    "FROM ",
    "WHERE ",
    "GROUP BY ",
    "HAVING ",
    "WINDOW ",
    "LIMIT ",
    "UNION ",
    "INTERSECT ",
    "EXCEPT ",
    "JOIN ",
    "LEFT JOIN ",
    "RIGHT JOIN ",
    "FULL JOIN ",
    "CROSS JOIN ",
    "USING (",
    "WHEN MATCHED ",
    "WHEN NOT MATCHED ",
    "ON CONFLICT ",
    "RETURNING ",
    "DO UPDATE ",
    "AND ",
    "OR ",
    "SELECT ",
    "INSERT ",
    "DELETE ",
    "MERGE ",
    "UPDATE ",
    "VALUES ",
];

/// Words after which such a clause continues on the same line.
const HEADS: [&str; 14] = [
    "SELECT", "DISTINCT", "ALL", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL", "MATCHED", "THEN", "DO", "ON", "FOR",
    "BY",
];

/// Breaks one statement into lines. Text in parentheses is indented.
pub fn broken(sql: &str, indent: &str) -> String {
    let mut text = indent.to_owned();
    let (mut depth, mut quote, mut word) = (1_usize, None, String::new());
    for (place, letter) in sql.char_indices() {
        if let Some(open) = quote {
            quote = (letter != open).then_some(open);
        } else {
            match letter {
                '\'' | '"' => quote = Some(letter),
                '(' => depth += 1,
                ')' => depth -= 1,
                ' ' => {
                    let rest = &sql[place + 1..];
                    let is_keyword = rest.starts_with(|next: char| next.is_ascii_uppercase());
                    let is_clause = is_keyword && CLAUSES.iter().any(|clause| rest.starts_with(clause));
                    let starts = is_clause || word.ends_with("),") && is_cte(rest);
                    let last = word.trim_start_matches('(');
                    let is_head = HEADS.contains(&last) || last == "DELETE" && rest.starts_with("FROM ");
                    if starts && !is_head {
                        text.push('\n');
                        text.push_str(indent);
                        text.push_str(&"  ".repeat(depth));
                        word.clear();
                        continue;
                    }
                }
                _ => {}
            }
        }
        if letter == ' ' {
            word.clear();
        } else {
            word.push(letter);
        }
        text.push(letter);
    }
    text
}

/// True if a common table expression starts here, given that another has just ended: `name AS (` or `name(columns)
/// AS (`.
fn is_cte(rest: &str) -> bool {
    let Some((name, query)) = rest.split_once(" AS ") else {
        return false;
    };
    let name = name.split_once('(').map_or(name, |(name, _)| name);
    let query = query.trim_start_matches("NOT ").trim_start_matches("MATERIALIZED ");
    query.starts_with('(')
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}
