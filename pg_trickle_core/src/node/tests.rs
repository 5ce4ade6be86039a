//! The notation: what is read back, and that no input causes a panic.

use super::{MAX_DEPTH, Tree};

fn error(text: &str) -> String {
    match Tree::parse(text) {
        Ok(_) => panic!("parsed: {text}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn reads_fields_of_every_type() {
    let text = r#"{THING :flag true :count -3 :oid 4294967295 :letter r :zero <> :name a\ b\{ :none <> :empty ""
        :list ({A :x 1} {A :x 2}) :ints (i 1 -2) :oids (o 7 8) :bits (b 3 9) :no (b) :words ("one" "t\ wo" "")
        :value 4 [ 1 0 -1 0 ] :last <>}"#;
    let tree = Tree::parse(text).expect("parses");
    let node = tree.root().node().expect("a node");
    assert_eq!(node.label(), "THING");
    assert_eq!(node.bool("flag"), Ok(true));
    assert_eq!(node.number("count"), Ok(-3));
    assert_eq!(node.number("oid"), Ok(u32::MAX));
    assert_eq!(node.char("letter"), Ok('r'));
    assert_eq!(node.char("zero"), Ok('\0'));
    assert_eq!(node.string("name"), Ok(Some("a b{".to_owned())));
    assert_eq!(node.string("none"), Ok(None));
    assert_eq!(node.string("empty"), Ok(Some(String::new())));
    let list = node.nodes("list").expect("nodes");
    assert_eq!(list.len(), 2);
    assert_eq!(list[1].number("x"), Ok(2));
    assert_eq!(node.numbers("ints"), Ok(vec![1, -2]));
    assert_eq!(node.numbers("oids"), Ok(vec![7, 8]));
    assert_eq!(node.numbers("bits"), Ok(vec![3, 9]));
    assert_eq!(node.numbers::<i32>("no"), Ok(Vec::new()));
    assert_eq!(
        node.strings("words"),
        Ok(vec!["one".to_owned(), "t wo".to_owned(), String::new()])
    );
    assert_eq!(node.value("value").expect("there").raw(), "4 [ 1 0 -1 0 ]");
    assert!(node.value("last").expect("there").is_null());
    assert_eq!(node.fields().count(), 16);
}

#[test]
fn spans_are_bytes_of_the_text() {
    let text = "({A :x é} {B :y {C :z 4 [ 1 2 3 4 ]}})";
    let tree = Tree::parse(text).expect("parses");
    let items: Vec<_> = tree.items().expect("a list").collect();
    let inner = items[1].node().expect("a node").node("y").expect("a node");
    assert_eq!(inner.raw(), "{C :z 4 [ 1 2 3 4 ]}");
    assert_eq!(&text[inner.span()], inner.raw());
}

#[test]
fn strings_that_look_like_structure() {
    // A string field may hold anything, including what looks like a field, a bracket or the null pointer.
    let text = r#"{A :x :y :z [ :n \<> :q \"q\" :v ("\"" "<>" "\\" "\12")}"#;
    let tree = Tree::parse(text).expect("parses");
    let node = tree.root().node().expect("a node");
    assert_eq!(node.name("x"), Ok(":y".to_owned()));
    assert_eq!(node.name("z"), Ok("[".to_owned()));
    assert_eq!(node.name("n"), Ok("<>".to_owned()));
    assert_eq!(node.name("q"), Ok("\"q\"".to_owned()));
    assert_eq!(
        node.strings("v"),
        Ok(vec!["\"".into(), "<>".into(), "\\".into(), "12".into()])
    );
}

#[test]
fn errors_name_the_place() {
    let tree = Tree::parse("{VAR :varno x}").expect("parses");
    let node = tree.root().node().expect("a node");
    assert_eq!(
        node.number::<i32>("varno").expect_err("no number").to_string(),
        "cannot read the query tree: field varno of VAR is not a number in range: x"
    );
    assert_eq!(
        node.bool("varlevelsup").expect_err("missing").to_string(),
        "cannot read the query tree: field varlevelsup of VAR is missing"
    );
    assert!(error("").ends_with("the text ends early, at byte 0"));
    assert!(error("{A :x 1").ends_with("the text ends early, at byte 7"));
    assert!(error("({A})}").ends_with("unexpected \"}\" at byte 5"));
    assert!(error("{A (}").ends_with("unexpected \"(\" at byte 3"));
    assert!(error("{A :x}").ends_with("unexpected \"}\" at byte 5"));
    assert!(error("{}").ends_with("unexpected \"}\" at byte 1"));
    assert!(error("{A :x 4 [ 1 (").ends_with("unexpected \"(\" at byte 12"));
}

#[test]
fn words_without_a_field_are_skipped() {
    let tree = Tree::parse("{A_EXPR ANY :name (\"=\") :lexpr {A_CONST NULL :location 7}}").expect("parses");
    let node = tree.root().node().expect("a node");
    assert_eq!(node.strings("name").expect("a list"), ["="]);
    let constant = node.node("lexpr").expect("a node");
    assert_eq!(constant.number::<i32>("location").expect("a number"), 7);
}

#[test]
fn depth_is_limited_without_recursion() {
    let limit = format!("nested deeper than {MAX_DEPTH} levels");
    assert!(error(&"(".repeat(1_000_000)).ends_with(&limit));
    assert!(error(&"{A :x ".repeat(1_000_000)).ends_with(&limit));
    let deepest = format!("{}{}", "(".repeat(MAX_DEPTH), ")".repeat(MAX_DEPTH));
    assert!(Tree::parse(&deepest).is_ok());
}

/// A generator that gives the same numbers on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).expect("fits")
    }
}

/// Visits everything, so that a bad span would show.
fn walk(value: super::Value<'_>) -> usize {
    let mut bytes = value.raw().len() + value.string().map_or(0, |text| text.len());
    if let Some(node) = value.node() {
        bytes += node.label().len();
        bytes += node
            .fields()
            .map(|(name, field)| name.len() + walk(field))
            .sum::<usize>();
    } else if let Some(items) = value.items() {
        bytes += items.map(walk).sum::<usize>();
    }
    bytes
}

#[test]
fn no_input_panics() {
    let pieces = [
        "{", "}", "(", ")", "<>", " ", "\n", "\\", "\"", ":", ":x", "[", "]", "A", "{A", "i", "b", "4 [ 1 ]", "é",
        "true", "\u{0}", "-", "\\\\", "\\é", "\"a\"",
    ];
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut parsed = 0;
    for _ in 0..200_000 {
        let text: String = (0..dice.roll(12)).map(|_| pieces[dice.roll(pieces.len())]).collect();
        if let Ok(tree) = Tree::parse(&text) {
            walk(tree.root());
            parsed += 1;
        }
    }
    assert!(parsed > 100, "the generator should hit some texts that parse");
}
