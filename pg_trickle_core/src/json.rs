//! JSON text, as far as plans and commands are written in it.

/// A JSON value.
pub enum Json {
    /// `null`
    Null,
    /// A number.
    Number(i64),
    /// `true` or `false`.
    Bool(bool),
    /// A string.
    Text(String),
    /// An array.
    Array(Vec<Json>),
    /// An object, in this order.
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    /// An array of strings.
    pub fn texts<'a>(texts: impl IntoIterator<Item = &'a String>) -> Json {
        Json::Array(texts.into_iter().map(|text| Json::Text(text.clone())).collect())
    }

    /// A string, or `null`.
    #[must_use]
    pub fn optional(text: Option<&str>) -> Json {
        text.map_or(Json::Null, |text| Json::Text(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn write(&self) -> String {
        let mut out = String::new();
        self.append(&mut out);
        out
    }

    fn append(&self, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Number(number) => out.push_str(&number.to_string()),
            Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Json::Text(text) => quote(text, out),
            Json::Array(items) => {
                out.push('[');
                for (n, item) in items.iter().enumerate() {
                    if n > 0 {
                        out.push(',');
                    }
                    item.append(out);
                }
                out.push(']');
            }
            Json::Object(members) => {
                out.push('{');
                for (n, (name, value)) in members.iter().enumerate() {
                    if n > 0 {
                        out.push(',');
                    }
                    quote(name, out);
                    out.push(':');
                    value.append(out);
                }
                out.push('}');
            }
        }
    }
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            control if u32::from(control) < 0x20 => {
                out.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::Json;

    #[test]
    fn strings_are_escaped() {
        let json = Json::Object(vec![("a", Json::Text("say \"\\\n\u{1}é".to_owned()))]);
        assert_eq!(json.write(), r#"{"a":"say \"\\\n\u0001é"}"#);
    }
}
