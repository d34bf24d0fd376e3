//! Codes: refusals of Pinterest.

use super::{Code, code};

#[rustfmt::skip] // one line for each part of an entry
pub(super) const CODES: &[Code] = &[
    code(
        "no_video_in_sandbox",
        "By Pinterest's documents, its Sandbox takes no video Pins.",
        "Try an image there. For videos, set Environment to Production and connect the account again.",
        "by Pinterest's documents, its Sandbox takes no video Pins",
    ),
    code(
        "invalid_scope",
        "The app's access tier or what the owner granted does not allow this.",
        "Apply for Standard access at developers.pinterest.com, or reconnect the channel and grant everything.",
        "403 invalid scope",
    ),
    code(
        "board_id_invalid",
        "The board does not exist any more, or belongs to another account.",
        "Re-select the default board in the channel's settings, or name another board, and retry.",
        "board_id is invalid",
    ),
    code(
        "board_section_id_invalid",
        "The board has no such section.",
        "Choose a section that the board has, or leave the section out, and retry.",
        "board_section_id is invalid",
    ),
    code(
        "refused_by_pinterest",
        "Pinterest refused the request, and says why.",
        "Change what Pinterest objects to, and publish it as a new Pin.",
        "Pinterest refused: Invalid link",
    ),
    code(
        "link_blocked",
        "Pinterest blocks the link of the Pin; `params.host` names where it leads. Other Pins go on.",
        "Link to the page itself, without a shortener or a redirect; claim the website at Pinterest, or ask Pinterest's support to review it.",
        "Pinterest blocks the link to shop.example in this Pin: Sorry! We blocked this link because it may lead to spam.",
    ),
    code(
        "token_refused",
        "Pinterest refuses the account's tokens although they are new.",
        "Check at Pinterest that the account and the app are active, reconnect the channel, and retry.",
        "Pinterest keeps refusing this account's tokens although they are new",
    ),
    code(
        "analytics_not_in_sandbox",
        "Pinterest has no analytics in its Sandbox.",
        "Connect the account in the production environment: Trial access is enough to read numbers.",
        "Pinterest has no analytics in its Sandbox",
    ),
    code(
        "analytics_not_available",
        "Pinterest does not return analytics to this account.",
        "Make it a business account in Pinterest's settings, and check that the Pin is still its own.",
        "Pinterest does not return analytics to this account: not a business account",
    ),
    code(
        "pinterest_pin_gone",
        "The Pin is not at Pinterest any more.",
        "Publish it as a new Pin if it should be there.",
        "the Pin is not at Pinterest any more, and has no analytics",
    ),
    code(
        "limit_reached",
        "The tenant has used up one of its limits; `GET /api/v1/limits` shows all of them.",
        "Try again after the time in `Retry-After`, or ask the operator for more.",
        "the tenant's limit pins_per_minute, which is 2000, is reached",
    ),
    code(
        "unknown_channels",
        "The file names many channels that do not exist.",
        "Use the ids that `GET /api/v1/channels` lists.",
        "names more than 20 channels that do not exist",
    ),
    code(
        "pinterest_rate_limited",
        "Pinterest's rate limit is used up.",
        "Try again after the time in Retry-After.",
        "Pinterest's rate limit is used up",
    ),
    code(
        "spam_hold",
        "Pinterest has blocked the account for a while to combat spam.",
        "Wait some hours, and vary what is published.",
        "Pinterest has blocked this account for a while to combat spam",
    ),
    code(
        "pinterest_unreachable",
        "Pinterest did not answer, or reported an error of its own.",
        "Try again later; Pinterest's status page tells whether it is down.",
        "Pinterest did not answer",
    ),
    code(
        "pinterest_unreadable",
        "Pinterest answered in an unknown form.",
        "Try again later; if it goes on, report it to the operator, whose log says more.",
        "Pinterest answered in an unknown form",
    ),
];
