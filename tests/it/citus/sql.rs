//! Just enough of SQL to see which tables stand beside each other.

/// A query, or a part of one that has tables of its own.
#[derive(Debug, Default)]
pub struct Block {
    /// The table that is written, if one is.
    pub target: Option<String>,
    /// Its columns in an `INSERT`.
    pub columns: Vec<String>,
    /// What is read: everything in `FROM`, `JOIN` and `USING`.
    pub from: Vec<Source>,
    /// All words of this level in order, lower case, with `()` for what is in parentheses.
    pub words: Vec<String>,
    /// The columns of `ON CONFLICT`.
    pub conflict: Option<Vec<String>>,
    /// Sub-queries.
    pub inner: Vec<Block>,
}

/// Something that rows come from.
#[derive(Debug, PartialEq, Eq)]
pub enum Source {
    /// A table.
    Table(String),
    /// A function with so many arguments.
    Function(String, usize),
    /// A sub-query.
    Query,
}

#[derive(Debug)]
enum Token {
    Word(String),
    Group(Vec<Token>),
}

impl Block {
    /// Read one statement.
    pub fn read(text: &str) -> Self {
        let mut chars = text.chars().peekable();
        Self::of(&tokens(&mut chars))
    }

    /// This block and all below it.
    pub fn all(&self) -> Vec<&Self> {
        let below = self.inner.iter().flat_map(Self::all);
        std::iter::once(self).chain(below).collect()
    }

    /// Whether these words follow each other.
    pub fn says(&self, phrase: &str) -> bool {
        let phrase: Vec<&str> = phrase.split(' ').collect();
        self.words
            .windows(phrase.len())
            .any(|window| window.iter().zip(&phrase).all(|(a, b)| a == b))
    }

    /// Whether a column, with or without an alias, is compared with a parameter by `=`.
    pub fn fixes(&self, column: &str) -> bool {
        self.words.windows(3).any(|window| {
            let name = window[0].rsplit('.').next();
            name == Some(column) && window[1] == "=" && window[2].starts_with('$')
        })
    }

    fn of(tokens: &[Token]) -> Self {
        let mut block = Self::default();
        // Whether the next name is a table that is read.
        let mut reading = false;
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let group = match tokens.get(at + 1) {
                Some(Token::Group(inside)) => Some(inside),
                _ => None,
            };
            match token {
                Token::Word(word) => {
                    reading = block.word(word, reading, group);
                }
                Token::Group(inside) => {
                    block.words.push("()".to_owned());
                    let query = is_query(inside);
                    if reading && query {
                        block.from.push(Source::Query);
                        reading = false;
                    }
                    let inner = Self::of(inside);
                    if query {
                        block.inner.push(inner);
                    } else {
                        block.inner.extend(inner.inner);
                    }
                }
            }
            at += 1;
        }
        block
    }

    fn word(&mut self, word: &str, reading: bool, group: Option<&Vec<Token>>) -> bool {
        let before = self.words.last().cloned().unwrap_or_default();
        self.words.push(word.to_owned());
        if reading && !["lateral", "only", "rows"].contains(&word) {
            let source = match group {
                Some(inside) => Source::Function(word.to_owned(), arguments(inside)),
                None => Source::Table(word.to_owned()),
            };
            if before == "from" && self.says("delete from") && self.target.is_none() {
                self.target = Some(word.to_owned());
            } else {
                self.from.push(source);
            }
            return false;
        }
        match before.as_str() {
            "into" => {
                self.target = Some(word.to_owned());
                self.columns = group.map(|inside| names(inside)).unwrap_or_default();
            }
            "update" if self.words.len() == 2 => self.target = Some(word.to_owned()),
            _ => {}
        }
        if word == "conflict" {
            self.conflict = group.map(|inside| names(inside));
        }
        let listing = word == "," && self.in_from();
        (word == "from" && before != "distinct") || word == "join" || word == "using" || listing
    }

    /// Whether a comma now separates tables.
    fn in_from(&self) -> bool {
        let clause = self.words.iter().rev().find(|word| {
            [
                "from",
                "where",
                "on",
                "group",
                "order",
                "select",
                "set",
                "returning",
                "values",
            ]
            .contains(&word.as_str())
        });
        clause.is_some_and(|word| word == "from")
    }
}

fn is_query(tokens: &[Token]) -> bool {
    let Some(Token::Word(first)) = tokens.first() else {
        return false;
    };
    ["select", "with", "insert", "update", "delete", "values"].contains(&first.as_str())
}

fn arguments(tokens: &[Token]) -> usize {
    let commas = tokens
        .iter()
        .filter(|token| matches!(token, Token::Word(word) if word == ","));
    commas.count() + usize::from(!tokens.is_empty())
}

fn names(tokens: &[Token]) -> Vec<String> {
    let words = tokens.iter().filter_map(|token| match token {
        Token::Word(word) if word != "," => Some(word.clone()),
        _ => None,
    });
    words.collect()
}

/// The tokens up to the end, or to the parenthesis that closes them.
fn tokens(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Vec<Token> {
    let mut found = Vec::new();
    let part = |c: char| c.is_alphanumeric() || "_.$".contains(c);
    while let Some(c) = chars.next() {
        match c {
            '(' => found.push(Token::Group(tokens(chars))),
            ')' => break,
            '\'' => {
                for c in chars.by_ref() {
                    if c == '\'' {
                        break;
                    }
                }
                found.push(Token::Word("''".to_owned()));
            }
            ':' if chars.peek() == Some(&':') => {
                // A cast: its type says nothing about tables.
                chars.next();
                while chars.peek().is_some_and(|c| part(*c) || "[]".contains(*c)) {
                    chars.next();
                }
            }
            c if part(c) => {
                let mut word = c.to_ascii_lowercase().to_string();
                while let Some(c) = chars.next_if(|c| part(*c)) {
                    word.push(c.to_ascii_lowercase());
                }
                found.push(Token::Word(word));
            }
            c if c.is_whitespace() => {}
            c => {
                let mut sign = c.to_string();
                while let Some(c) = chars.next_if(|next| c != ',' && "<>=|-@".contains(*next)) {
                    sign.push(c);
                }
                found.push(Token::Word(sign));
            }
        }
    }
    found
}

#[test]
fn tables_and_functions_are_seen() {
    let block = Block::read(
        "UPDATE check_ins AS c SET left_at = u.b FROM (SELECT a, b FROM UNNEST($1::uuid[], $2::bigint[])
         AS u (a, b)) AS u, other o WHERE c.id = u.a AND c.checkpoint_id = $3 RETURNING c.id",
    );
    assert_eq!(block.target.as_deref(), Some("check_ins"));
    assert_eq!(block.from, [Source::Query, Source::Table("other".into())]);
    assert!(block.fixes("checkpoint_id") && !block.fixes("id"));
    let [inner] = block.inner.as_slice() else {
        panic!("one sub-query: {block:?}");
    };
    assert_eq!(inner.from, [Source::Function("unnest".into(), 2)]);
    let insert = Block::read(
        "INSERT INTO t (a, b) SELECT x.a, 'it is, (so)' FROM x LEFT JOIN y ON y.a = x.a
         ON CONFLICT (a) DO NOTHING",
    );
    assert_eq!(insert.target.as_deref(), Some("t"));
    assert_eq!(insert.columns, ["a", "b"]);
    assert_eq!(insert.conflict, Some(vec!["a".to_owned()]));
    assert_eq!(insert.from.len(), 2);
    assert!(insert.says("left join"));
    let delete = Block::read("DELETE FROM t WHERE a IN (SELECT a FROM t WHERE b < $1)");
    assert_eq!(delete.target.as_deref(), Some("t"));
    assert_eq!((delete.from.len(), delete.inner.len()), (0, 1));
}
