"""What each use case answers in a situation; where it is not named, it is done."""

from __future__ import annotations

GONE = {"cancelled": "MEMBER_CANCELLED", "erased": "MEMBER_ERASED"}
"""Who has left neither earns nor changes anything."""
INACTIVE = {"frozen": "MEMBER_FROZEN", **GONE}
"""Who is frozen does not spend either."""


def back(code: str) -> dict[str, str]:
    """A clock that was set back: what is not there yet cannot be spent."""
    return {"an hour back": code, "three days back": code}


SITUATIONS: dict[str, dict[str, str]] = {
    "registration.link_credential": GONE,
    "sale.record_sale": INACTIVE | back("INSUFFICIENT"),
    "pending.record_pending": INACTIVE | back("INSUFFICIENT"),
    "refund.void_sale": {"three days back": "VOID_ONLY_SAME_DAY"},
    "exchange.exchange": GONE,
    "redemption.hold_reward": INACTIVE | back("POINTS_MISSING"),
    "redemption.undo_reward": back("UNDO_TOO_LATE") | {"erased": "VOUCHER_USED"},
    "redemption.fulfil_voucher": {"erased": "VOUCHER_USED"},
    "redemption.check_in_to_event": {"erased": "TICKET_MISSING"},
    "stored_value.top_up": INACTIVE,
    "stored_value.take_back_top_up": {"erased": "TOP_UP_SPENT", "three days back": "TOP_UP_TOO_OLD"},
    "stored_value.close_card": {"erased": "NOTHING_STORED"},
    "coupons.issue_coupon": GONE,
    "coupons.void_coupon": {"erased": "COUPON_USED"},
    "coupons.claim_code": GONE,
    "coupons.hold_for_sale": {"erased": "COUPON_USED"},
    "merging.merge_members": INACTIVE,
    "lottery.draw": INACTIVE | back("POINTS_MISSING"),
    "check_in.check_in": INACTIVE | {"erased": "CARD_UNKNOWN"},
    "participation.answer_survey": GONE,
    "participation.approve_share": GONE,
    "entitlement.use_entitlement": INACTIVE | {"erased": "CARD_UNKNOWN"},
    "grants.grant_points": GONE,
    "late_credit.late_credit": GONE,
    "cards.block_card": {"erased": "CREDENTIAL_NOT_YOURS"},
    "cards.unblock_card": {"erased": "CREDENTIAL_NOT_YOURS"},
    "cards.replace_card": GONE,
    "cards.limit_card": GONE,
    "cards.link_shared_uid": GONE,
    "profile.change_profile": GONE,
    "profile.set_birthday": GONE,
    "profile.set_preferences": GONE,
    "standing.change_standing": INACTIVE,
    "tiers.give_tier": GONE,
    "privacy.state_consent": GONE,
    "privacy.erase_member": {"erased": "MEMBER_ERASED"},
    "referral.set_referrer": {"merged": "REFERRER_TOO_LATE"},
    "alliance.send_points": INACTIVE | back("POINTS_MISSING"),
    "alliance.take_points": GONE,
    "virtual_cards.issue_virtual_card": GONE,
}
