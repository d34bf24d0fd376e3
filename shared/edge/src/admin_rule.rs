//! Who is an admin.

use platform::{InvalidVariable, Variables};

/// Cognito's claim of groups. Its group names have no spaces
/// (<https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateGroup.html>).
const COGNITO_GROUPS: &str = "cognito:groups";

/// The rule for admins: a user who has a scope, or is in a group.
///
/// API Gateway passes a list claim as one text, `[a b]`, in which the group `billing admin` looks like the two groups
/// `billing` and `admin`. So a list of several groups counts only if no name can contain a space.
#[derive(Clone, Debug)]
pub struct AdminRule {
    pub scope: String,
    pub groups_claim: String,
    pub group: String,
    /// Whether several groups in one text can be separated: if names have no spaces, as at Cognito, or if the admins' group
    /// is a UUID, as at Entra.
    pub several_groups: bool,
}

impl AdminRule {
    pub(crate) fn new(variables: &Variables) -> Result<Self, InvalidVariable> {
        let word = |name: &'static str, default: &str, meaning| {
            let word = variables.get(name).unwrap_or(default);
            let is_word = !word.contains(|letter: char| letter.is_whitespace() || "[]".contains(letter));
            is_word.then(|| word.to_owned()).ok_or_else(|| InvalidVariable::new(name, meaning))
        };
        let scope = word("ADMIN_SCOPE", "pinwright/admin", "a scope: one word")?;
        let group =
            word("ADMIN_GROUP", "admin", "a name without blanks and brackets, which no list can show apart")?;
        let groups_claim = variables.get("GROUPS_CLAIM").unwrap_or(COGNITO_GROUPS).to_owned();
        let several_groups = groups_claim == COGNITO_GROUPS || is_uuid(&group);
        Ok(Self { scope, groups_claim, group, several_groups })
    }

    /// `claim`: the text of a claim, by its name.
    pub(crate) fn admits<'a>(&self, claim: impl Fn(&str) -> Option<&'a str>) -> bool {
        // A scope has no space (RFC 6749, section 3.3).
        let has_scope =
            claim("scope").is_some_and(|scopes| list(scopes).split(' ').any(|scope| scope == self.scope));
        let in_group = |groups: &str| {
            let groups = list(groups);
            groups == self.group || self.several_groups && groups.split(' ').any(|group| group == self.group)
        };
        has_scope || claim(&self.groups_claim).is_some_and(in_group)
    }
}

/// The words of a list claim: `a b` as OAuth writes scopes, `[a b]` as API Gateway writes lists.
fn list(text: &str) -> &str {
    text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text)
}

/// Whether a text has the form of a UUID (RFC 9562, section 4).
fn is_uuid(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12] && parts.concat().bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "0c1f2d3e-4a5b-6c7d-8e9f-001122334455";

    fn is_admin(variables: &[(&'static str, &'static str)], name: &str, value: &str) -> bool {
        let rule = AdminRule::new(&variables.iter().copied().collect()).unwrap();
        rule.admits(|claim| (claim == name).then_some(value))
    }

    #[test]
    fn a_group_counts_only_if_it_cannot_be_a_part_of_another_name() {
        let own = [("GROUPS_CLAIM", "groups")];
        for (groups, expected) in [
            ("admin", true),
            ("[admin]", true),
            ("[Billing admin]", false),
            ("[admin editors]", false),
            ("no admin", false),
            ("[not-admin]", false),
            ("[x,admin]", false),
            ("[[admin]]", false),
            ("", false),
        ] {
            assert_eq!(is_admin(&own, "groups", groups), expected, "{groups}");
        }
        let by_id = [("GROUPS_CLAIM", "groups"), ("ADMIN_GROUP", UUID)];
        assert!(is_admin(&by_id, "groups", &format!("[0 {UUID}]")));
        assert!(is_admin(&[], COGNITO_GROUPS, "[editors admin]"));
        assert!(!is_admin(&[], "groups", "[editors admin]"), "of another claim");
    }

    #[test]
    fn a_scope_has_no_blanks_and_is_found_in_any_list() {
        for (scopes, expected) in [
            ("pinwright/admin", true),
            ("openid pinwright/admin", true),
            ("[openid pinwright/admin]", true),
            ("pinwright/admins", false),
            ("openid", false),
        ] {
            assert_eq!(is_admin(&[], "scope", scopes), expected, "{scopes}");
        }
    }

    #[test]
    fn a_name_that_no_list_can_show_apart_is_refused() {
        for bad in ["site admins", "[admin]", "a\tb"] {
            let variables = Variables::from_iter([("ADMIN_GROUP", bad)]);
            assert!(AdminRule::new(&variables).is_err(), "{bad}");
        }
    }
}
