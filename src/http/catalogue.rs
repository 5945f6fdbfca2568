//! Everything that can be said to go wrong: permanent codes, with a text and what to do about it.

use std::borrow::Cow;

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident $status:literal $text:literal $title:literal $detail:literal;)+) => {
        /// What went wrong, as a permanent code for programs, with words for people.
        ///
        /// The title says what is wrong, the detail what to do; a detail may have places such as `{step}` for
        /// what the problem's `arguments` say. Neither ever holds a technical text: that is in the logs, beside
        /// the request's correlation id.
        ///
        /// ```
        /// use onramp::http::Code;
        /// assert_eq!(Code::Outstanding.as_str(), "outstanding");
        /// assert_eq!(Code::Outstanding.status(), 409);
        /// for code in Code::ALL {
        ///     println!("{} {}: {} {}", code.status(), code.as_str(), code.title(), code.detail());
        /// }
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $code,)+
        }

        impl Code {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$code,)+];

            /// The code, which never changes.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$code => $text,)+
                }
            }

            /// The status code of HTTP that it comes with.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self {
                    $(Self::$code => $status,)+
                }
            }

            /// What is wrong, in words for people.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$code => $title,)+
                }
            }

            /// What to do about it, in words for people, with places for the arguments.
            #[must_use]
            pub const fn detail(self) -> &'static str {
                match self {
                    $(Self::$code => $detail,)+
                }
            }
        }
    };
}

codes! {
    /// Nobody is signed in.
    Unauthenticated 401 "unauthenticated" "You are not signed in." "Sign in and try again.";
    /// Somebody is signed in who may not do this.
    Forbidden 403 "forbidden" "You may not do this." "Ask whoever looks after your account.";
    /// No such onboarding, for whoever asks; also when it is somebody else's.
    NotFound 404 "not_found" "There is nothing here." "Check the address, or start the onboarding first.";
    /// The flow has no such step.
    StepNotFound 404 "step_not_found" "There is no such step." "Choose one of the steps that the status lists.";
    /// The address is right, the method is not.
    MethodNotAllowed 405 "method_not_allowed" "This cannot be done here." "Use one of the methods in the header \"Allow\".";
    /// An older version of the flow had the step.
    StepGone 410 "step_gone" "This step is not asked for any more." "Go on with the step that replaces it, or with what the status says is next.";
    /// A header has another form than it must have.
    BadHeader 400 "bad_header" "A header of the request cannot be read." "Correct the header {header}.";
    /// A parameter in the address has another form than it must have.
    BadParameter 400 "bad_parameter" "A parameter of the request cannot be read." "Correct the parameter {parameter}.";
    /// The connection broke while the body was read.
    BodyUnreadable 400 "body_unreadable" "The request did not arrive whole." "Send it again.";
    /// The body is not JSON.
    MalformedJson 400 "malformed_json" "What was sent is not JSON." "Correct it at line {line}, column {column}.";
    /// The body is larger than the limit.
    TooLarge 413 "too_large" "What was sent is too large." "Send at most {limit} bytes.";
    /// The body is of another media type.
    NotJson 415 "not_json" "What was sent is not called JSON." "Send JSON, with the header \"Content-Type: application/json\".";
    /// The body's arrays and objects are nested too deep.
    TooDeep 422 "too_deep" "What was sent is nested too deep." "Nest arrays and objects at most {limit} levels deep.";
    /// A NUL, or half of a character.
    Unstorable 422 "unstorable" "A text has characters that cannot be kept." "Remove control characters that are not visible.";
    /// Fields of the answer, by their JSON pointers, break its rules.
    InvalidAnswer 422 "invalid_answer" "The answer has to be changed." "Correct the fields that are listed.";
    /// A draft is saved on top of a version only.
    PreconditionRequired 428 "precondition_required" "It was not said which version is changed." "Send the header \"If-Match\" with the \"ETag\" that you have seen.";
    /// The version that the request names is not the newest.
    Stale 412 "stale" "It was changed meanwhile." "Look at the current state, which comes with this, and try again.";
    /// Others kept changing it.
    MovedOn 409 "moved_on" "It was changed at the same moment." "Try again.";
    /// The key came with another payload before.
    IdempotencyKeyReused 422 "idempotency_key_reused" "This key was used for something else." "Send an Idempotency-Key of its own with each wish.";
    /// The operation is not legal in this stage.
    WrongStage 409 "wrong_stage" "This cannot be done now." "It is {stage}: see in the status what is next.";
    /// The operation, or the step, is not the subject's.
    NotYours 403 "not_yours" "This is not yours to do." "Wait for whoever does it.";
    /// The step has its answer.
    AlreadySettled 409 "already_settled" "This step is settled already." "Revise the step {step} to change it.";
    /// Only what was answered can be revised.
    NothingToRevise 409 "nothing_to_revise" "This step has no answer yet." "Submit an answer to the step {step}.";
    /// It is not known yet whether the step applies.
    NotReached 409 "not_reached" "It is not the turn of this step." "See in the status what comes before the step {step}.";
    /// The step's condition does not hold.
    NotApplicable 409 "not_applicable" "This step does not apply to you." "See in the status what is next.";
    /// Only optional steps can be skipped.
    StepRequired 409 "step_required" "This step cannot be skipped." "Answer the step {step}.";
    /// Tasks or conditions cannot do without the step's fact.
    StepNeeded 409 "step_needed" "This step cannot be waived." "The step {step} is needed by others: settle it.";
    /// Something was built on the answer.
    Immutable 409 "immutable" "This answer cannot be changed any more." "Something was built on the step {step}: ask whoever looks after your account.";
    /// Steps are not settled.
    Outstanding 409 "outstanding" "It is not complete yet." "See what is outstanding in the list.";
    /// What was built is still to be verified.
    Unverified 409 "unverified" "It is not complete yet." "Wait: what was set up is being checked.";
    /// Another customer has what the answer asks for.
    Taken 409 "taken" "Somebody else has this already." "Choose another one in the step {step}.";
    /// Effects are being taken back.
    Undoing 409 "undoing" "Something is being taken back." "Try again when that is done.";
    /// An operator has parked it.
    Parked 409 "parked" "It was stopped for now." "Wait until it goes on.";
    /// Nothing is being taken back.
    NotUndoing 409 "not_undoing" "Nothing is being taken back." "See in the status what is next.";
    /// Effects could not be taken back.
    UndoRemains 409 "undo_remains" "Something could not be taken back." "Wait: somebody looks into it.";
    /// It cannot be retried, because no prerequisite was ever checked.
    NeverStarted 409 "never_started" "It was given up before it began." "Ask whoever looks after your account.";
    /// The facts were erased.
    Erased 409 "erased" "What was given was erased." "Ask whoever looks after your account.";
    /// Every effect was taken back.
    NothingRemains 409 "nothing_remains" "Nothing is left to be taken back." "See in the status what is next.";
    /// No step is new for everyone.
    NothingNew 409 "nothing_new" "There is nothing new to do." "See in the status what is next.";
    /// It is not time for this.
    NotDue 409 "not_due" "It is not time for this." "Try again later.";
    /// Prerequisites do not hold.
    GatesClosed 409 "gates_closed" "It cannot begin now." "See in the list why, and try again later.";
    /// Too many of the tenant have started lately.
    TooManyStarts 429 "too_many_starts" "Too many begin at the same time." "Try again in {seconds} seconds.";
    /// Secrets are shown to those who are through.
    TooEarlyToShow 409 "too_early_to_show" "It cannot be shown yet." "Finish the onboarding first.";
    /// No token was given out.
    NotOffered 409 "not_offered" "There is nothing to be shown." "Ask for it to be shown first.";
    /// It was shown or offered before.
    ProofNeeded 403 "proof_needed" "Please prove that it is you." "Sign in again, and ask for it to be shown again.";
    /// The token's time is over.
    RevealExpired 410 "reveal_expired" "The time to look at it is over." "Sign in again, and ask for it to be shown again.";
    /// The token was used.
    RevealUsed 410 "reveal_used" "It was shown before." "Sign in again, and ask for it to be shown again.";
    /// Too many wrong tokens were tried.
    RevealBurnt 410 "reveal_burnt" "It was tried too often." "Sign in again, and ask for it to be shown again.";
    /// The store broke off while it was written.
    InDoubt 503 "in_doubt" "It is not known whether this was done." "Send the same request again, with the same Idempotency-Key.";
    /// The store, or whoever knows who is asking, does not answer. Not the same as "not complete".
    Unavailable 503 "unavailable" "It is not known right now." "Try again in a moment.";
    /// Anything that should not happen; the logs say what.
    Internal 500 "internal" "Something went wrong on our side." "We have been told. Try again later.";
}

impl Code {
    /// The names of the places in the detail.
    ///
    /// ```
    /// use onramp::http::Code;
    /// assert_eq!(Code::StepRequired.arguments(), ["step"]);
    /// ```
    #[must_use]
    pub fn arguments(self) -> Vec<&'static str> {
        let pieces = self.detail().split('{').skip(1);
        let names = pieces.filter_map(|piece| piece.split_once('}'));
        names.map(|(name, _)| name).collect()
    }

    /// What identifies the kind of problem (RFC 9457): where it is described.
    pub(super) fn address(self) -> String {
        format!("https://docs.rs/onramp/latest/onramp/http/enum.Code.html#variant.{self:?}")
    }
}

/// The words for a code in some language.
///
/// ```
/// use onramp::http::Text;
/// let text = Text::new("Der Schritt fehlt.", "Beantworten Sie {step}.");
/// assert_eq!(text.detail, "Beantworten Sie {step}.");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Text {
    /// What is wrong.
    pub title: Cow<'static, str>,
    /// What to do about it. `{name}` stands for an argument of the problem.
    pub detail: Cow<'static, str>,
}

impl Text {
    /// A title and a detail.
    pub fn new(title: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            title: title.into(),
            detail: detail.into(),
        }
    }
}

/// Other words for the codes: the host's own, or in other languages.
///
/// ```
/// use onramp::http::{Code, Messages, Text};
///
/// struct German;
/// impl Messages for German {
///     fn text(&self, code: Code, language: &str) -> Option<Text> {
///         match (code, language.split('-').next()?) {
///             (Code::StepRequired, "de") => {
///                 Some(Text::new("Der Schritt ist nötig.", "Beantworten Sie {step}."))
///             }
///             _ => None, // the words of the catalogue
///         }
///     }
/// }
/// ```
pub trait Messages: Send + Sync + 'static {
    /// The words for a code in a language (a tag of RFC 5646, as the browser sent it; empty when it
    /// sent none). Asked for each language that is accepted, the most wanted first, until there are
    /// some.
    fn text(&self, code: Code, language: &str) -> Option<Text>;
}

/// The words of the catalogue.
pub(super) struct Catalogue;

impl Messages for Catalogue {
    fn text(&self, _: Code, _: &str) -> Option<Text> {
        None
    }
}

/// The words for a code, for whoever accepts these languages, with the arguments in their places.
pub(super) fn words(
    messages: &dyn Messages,
    code: Code,
    accepted: &str,
    arguments: &[(&'static str, String)],
) -> Text {
    let found = languages(accepted).find_map(|language| messages.text(code, language));
    let mut text = found.unwrap_or_else(|| Text::new(code.title(), code.detail()));
    for (name, value) in arguments {
        let place = format!("{{{name}}}");
        for part in [&mut text.title, &mut text.detail] {
            if part.contains(&place) {
                *part = part.replace(&place, value).into();
            }
        }
    }
    text
}

/// The tags of an `Accept-Language` header, in its order; at the end none.
fn languages(accepted: &str) -> impl Iterator<Item = &str> {
    let tags = accepted.split(',').take(10);
    let tags = tags.map(|tag| tag.split(';').next().unwrap_or_default().trim());
    tags.filter(|tag| !tag.is_empty()).chain([""])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_is_one_of_a_kind_and_has_words() {
        let mut known = BTreeSet::new();
        for code in Code::ALL {
            let text = code.as_str();
            assert!(known.insert(text), "{text} twice");
            assert!(
                text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{text}"
            );
            assert!((400..600).contains(&code.status()), "{text}");
            for words in [code.title(), code.detail()] {
                assert!(words.ends_with('.') && words.len() > 8, "{text}: {words}");
                assert!(words.starts_with(char::is_uppercase), "{text}: {words}");
            }
            assert!(!code.title().contains('{'), "{text}: a title never changes");
        }
    }

    #[test]
    fn arguments_are_put_in_their_places() {
        struct Loud;
        impl Messages for Loud {
            fn text(&self, _: Code, language: &str) -> Option<Text> {
                (language == "xx").then(|| Text::new("{step}!", "{step}{step} {other}"))
            }
        }
        let step = [("step", "company".to_owned())];
        let text = words(&Loud, Code::StepRequired, "de;q=0.1, xx;q=0.9", &step);
        assert_eq!(text, Text::new("company!", "companycompany {other}"));
        let text = words(&Loud, Code::StepRequired, "", &step);
        assert_eq!(text.detail, "Answer the step company.");
    }
}
