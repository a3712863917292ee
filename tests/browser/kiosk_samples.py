"""Every screen of the kiosk in every state, as snapshots: what its page must be able to draw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from tapledger.languages import LANGUAGES, Language
from tapledger.web import kiosk_snapshots as k
from tapledger.web.checkout_snapshots import Problem
from tapledger.web.device_snapshots import TroubleView

COMMIT = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
SQUARE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 29 29"><path d="M4 4h7v7H4zM18 4h7v7h-7z'
    'M4 18h7v7H4zM13 13h3v3h-3zM18 18h3v3h-3zM22 22h3v3h-3z"/></svg>'
)


@dataclass(frozen=True)
class Words:
    """What the daemon says in one language; long as in real shops."""

    language: Language

    def __call__(self, hans: str, hant: str, en: str, ja: str) -> str:
        return {"zh-Hans": hans, "zh-Hant": hant, "en": en, "ja": ja}[self.language]


def samples(language: Language) -> Iterator[tuple[str, k.Kiosk]]:
    """Yield a name and a snapshot for each state that a person can see."""
    say = Words(language)
    for part in PARTS:
        yield from part(say)


def _kiosk(say: Words, screen: k.KioskScreen, **around: object) -> k.Kiosk:
    given: dict[str, object] = {
        "language": say.language,
        "languages": list(LANGUAGES),
        "reader": "ok",
        "printer": "ok",
        "as_of": None,
        "simulated": False,
        "still_here_s": None,
        "in_session": hasattr(screen, "member"),
        "speaks": True,
        "takes_codes": True,
        **around,
    }
    return k.Kiosk(screen=screen, **given)  # type: ignore[arg-type]


def _member(say: Words) -> k.MemberView:
    gold = say("金卡会员", "金卡會員", "Gold", "ゴールド会員")
    return k.MemberView("王**", gold, 2)


def _nobody(say: Words) -> Iterator[tuple[str, k.Kiosk]]:
    yield "starting", _kiosk(say, k.Starting())
    yield "attract", _kiosk(say, k.Attract())
    yield "attract-register", _kiosk(say, k.Attract(), mode="register")
    yield "attract-gate", _kiosk(say, k.Attract(), mode="gate")
    paper = [TroubleView("printer", "paper_out")]
    yield "attract-no-paper", _kiosk(say, k.Attract(), printer="trouble", troubles=paper, simulated=True)
    yield "attract-no-reader", _kiosk(say, k.Attract(), reader="trouble")
    yield "reading", _kiosk(say, k.Reading())
    unknown = Problem(
        "CARD_UNKNOWN",
        say(
            "这张卡还没有登记",
            "這張卡尚未登記",
            "This card is not registered",
            "このカードは登録されていません",
        ),
        say("要现在加入吗？", "要現在加入嗎？", "Would you like to join now?", "今すぐ入会なさいますか？"),
    )
    yield "trouble-join", _kiosk(say, k.Trouble(unknown, can_join=True), in_session=True)
    torn = Problem(
        "CARD_TORN",
        say(
            "没读到，请再贴一次，停留一秒", "沒有讀到，請再感應一次", "We missed that", "読み取れませんでした"
        ),
        say("把卡放稳再拿开", "把卡片放穩再拿開", "Hold it for one second", "1秒ほどかざしてください"),
    )
    yield "trouble", _kiosk(say, k.Trouble(torn))
    yield "goodbye", _kiosk(say, k.Goodbye())
    yield "goodbye-feedback", _kiosk(say, k.Goodbye(), feedback=True)
    yield "cleaning", _kiosk(say, k.OutOfService("cleaning", 45))
    yield "closed", _kiosk(say, k.OutOfService("closed"))
    lounge = say("会员休息室", "會員休息室", "Lounge", "会員ラウンジ")
    until = say("今天还可进入 2 次", "今天還可進入 2 次", "2 more visits today", "本日はあと2回")
    yield "gate-opened", _kiosk(say, k.Gate(True, lounge, [until]))
    why = say("金卡及以上可以进入", "金卡以上可以進入", "For Gold members and above", "ゴールド会員以上")
    yield "gate-refused", _kiosk(say, k.Gate(False, lounge, [why]))


def _three(say: Words) -> list[k.RewardView]:
    missing = say("还差 640 积分", "還差 640 點", "640 points to go", "あと640pt")
    return [
        k.RewardView(
            "coffee",
            say("手冲咖啡一杯", "手沖咖啡一杯", "A cup of filter coffee", "ハンドドリップ"),
            80,
            True,
        ),
        k.RewardView("mug", say("双层保温杯", "雙層保溫杯", "Insulated mug", "保温マグカップ"), 500, True),
        k.RewardView(
            "bag",
            say("帆布购物袋", "帆布購物袋", "Canvas shopping bag", "帆布トートバッグ"),
            13500,
            False,
            missing,
        ),
    ]


def _coupons(say: Words) -> list[k.CouponView]:
    off = say("满 100 减 20", "滿 100 折 20", "¥20 off ¥100", "100元で20元引き")
    tea = say("第二杯半价", "第二杯半價", "Second cup half price", "2杯目半額")
    not_yet = say("周末可用", "週末可用", "On weekends only", "土日のみ")
    return [
        k.CouponView(off, "2026-12-01"),
        k.CouponView(tea, None),
        k.CouponView(say("生日蛋糕券", "生日蛋糕券", "Birthday cake", "誕生日ケーキ"), "2026-12-31", not_yet),
        k.CouponView(off, "2027-01-31"),
    ]


def _balances(say: Words) -> Iterator[tuple[str, k.Kiosk]]:
    def balance(**more: object) -> k.Balance:
        base: dict[str, object] = {
            "member": _member(say),
            "points": 12860,
            "rewards": _three(say),
            "more_rewards": True,
            "given": [],
            "ways_up": [],
            "coupons": 3,
            "best_coupons": _coupons(say)[:2],
            "activities": 4,
            "expiring": k.Expiring(300, "2026-12-31"),
            "next_tier": k.NextTier(say("白金卡", "白金卡", "Platinum", "プラチナ"), "¥380.00"),
            **more,
        }
        return k.Balance(**base)  # type: ignore[arg-type]

    yield "balance", _kiosk(say, balance(has_value=True))
    birthday = say(
        "生日快乐，送您 100 积分",
        "生日快樂，送您 100 點",
        "Happy birthday, 100 points for you",
        "お誕生日おめでとうございます +100pt",
    )
    up = say("恭喜升级为金卡会员", "恭喜升級為金卡會員", "You are Gold now", "ゴールド会員になりました")
    yield "balance-birthday", _kiosk(say, balance(given=[birthday, up], value="¥88.00", has_value=True))
    away = balance(offline=k.OfflineLimit(1500, 2000), coupons=0, best_coupons=[], activities=0)
    yield "balance-offline", _kiosk(say, away, as_of="10:42")
    plain = balance(rewards=[], more_rewards=False, coupons=0, best_coupons=[], activities=0, next_tier=None)
    yield "balance-plain", _kiosk(say, plain)
    few = balance(rewards=_three(say)[:2], more_rewards=False, coupons=1, expiring=None)
    yield "balance-few", _kiosk(say, few)
    yield "still-here", _kiosk(say, balance(), still_here_s=10)
    yield "balance-huge", _kiosk(say, balance(points=123456789))


def _lists(say: Words) -> Iterator[tuple[str, k.Kiosk]]:
    yield "rewards", _kiosk(say, k.Rewards(_member(say), 12860, _three(say) * 2))
    yield "coupons", _kiosk(say, k.Coupons(_member(say), _coupons(say)))
    yield "coupons-none", _kiosk(say, k.Coupons(_member(say), []))
    sentence = say(
        "消费 ¥12.00 × 3 倍（生日）",
        "消費 ¥12.00 × 3 倍（生日）",
        "¥12.00 × 3 (birthday)",
        "¥12.00 × 3倍（誕生日）",
    )
    bought = say("购物", "購物", "Purchase", "お買い物")
    entry = k.HistoryEntry("2026-11-20", bought, 36, [sentence])
    spent = k.HistoryEntry(
        "2026-11-18", say("兑换礼品", "兌換禮品", "Reward", "特典と交換"), -500, [sentence]
    )
    yield "history", _kiosk(say, k.History(_member(say), 12860, [entry, spent, entry, entry]))


def _rewards(say: Words) -> Iterator[tuple[str, k.Kiosk]]:
    mug = _three(say)[1]
    member = _member(say)
    yield "confirm", _kiosk(say, k.Confirm(member, mug, 12360))
    yield "confirm-tap", _kiosk(say, k.Confirm(member, mug, 12360, "tap"))
    yield "confirm-pin", _kiosk(say, k.Confirm(member, mug, 12360, "pin"))
    yield "confirm-no-paper", _kiosk(say, k.Confirm(member, mug, 12360, "tap"), printer="trouble")
    for slip in ("printing", "printed", "failed", "unknown", "sent"):
        square = SQUARE if slip in ("failed", "unknown") else ""
        undo = None if slip == "sent" else 10
        done = k.Done(member, mug.title, 12360, "BV68-351B-FTZ5-0", slip, square, undo)
        yield f"done-{slip}", _kiosk(say, done)
    yield "done-no-voucher", _kiosk(say, k.Done(member, mug.title, 12360, "", "sent", undo_s=10))


def _digits(say: Words) -> Iterator[tuple[str, k.Kiosk]]:
    purpose = say(
        "为了查看储值余额", "為了查看儲值餘額", "To see your stored value", "チャージ残高を見るため"
    )
    yield "prove-pin", _kiosk(say, k.Prove(_member(say), "pin", 6, purpose, other_way=True))
    sent = say(
        "验证码已发送到 *** 8000", "驗證碼已傳送到 *** 8000", "Sent to *** 8000", "*** 8000 に送信しました"
    )
    yield "prove-code", _kiosk(say, k.Prove(_member(say), "code", 6, sent, other_way=False))


def _activities(say: Words) -> Iterator[tuple[str, k.Kiosk]]:
    wheel = say("周年抽奖", "週年抽獎", "Anniversary draw", "周年記念抽選会")
    visits = say("本月来店三次", "本月來店三次", "Three visits this month", "今月3回ご来店")
    survey = say("一分钟问卷", "一分鐘問卷", "One-minute survey", "1分アンケート")
    tomorrow = say(
        "今天已参加，明天见", "今天已參加，明天見", "Done today, see you tomorrow", "本日は回答済みです"
    )
    check_in = say("今日签到", "今日簽到", "Check in", "来店チェックイン")
    items = [
        k.Activity("check_in", "today", check_in, "+10", True),
        k.Activity(
            "lottery", "wheel", wheel, say("每次 50 积分", "每次 50 點", "50 points a draw", "1回50pt"), True
        ),
        k.Activity(
            "mission",
            "m",
            visits,
            say("送 100 积分", "送 100 點", "100 points", "100pt進呈"),
            True,
            progress_pct=67,
        ),
        k.Activity("survey", "s", survey, "+20", False, tomorrow),
        k.Activity("ticket", "t", say("停车券", "停車券", "Parking ticket", "駐車券"), "1", True),
    ]
    member = _member(say)
    yield "activities", _kiosk(say, k.Activities(member, items))
    yield "activities-mission", _kiosk(say, k.Activities(member, items[2:]))
    yield "activities-none", _kiosk(say, k.Activities(member, []))


def _questions(say: Words) -> Iterator[tuple[str, k.Kiosk]]:
    member = _member(say)
    gift = say("今日到店礼 +10 积分", "今日到店禮 +10 點", "Visit gift: 10 points", "来店特典 +10pt")
    again = say("已连续 3 天，明天再来多送 5", "已連續 3 天", "3 days in a row", "3日連続です")
    yield "gift", _kiosk(say, k.Gift(member, gift, [again], 12870))
    question = say(
        "您最常在什么时候来？",
        "您最常什麼時候來？",
        "When do you usually visit us?",
        "よくご来店になる時間帯は？",
    )
    answers = [
        say("早上上班前", "早上上班前", "Before work", "出勤前"),
        say("午休", "午休", "At lunch", "お昼休み"),
        say("下班以后", "下班以後", "After work", "お仕事帰り"),
        say("周末", "週末", "On weekends", "週末"),
        say("没有固定时间", "沒有固定時間", "No fixed time", "決まっていない"),
    ]
    name = say("一分钟问卷", "一分鐘問卷", "One-minute survey", "1分アンケート")
    yield "questions", _kiosk(say, k.Questions(member, name, 2, 5, question, answers))
    yield "questions-two", _kiosk(say, k.Questions(member, name, 3, 5, question, answers[:2]))


def _wheels(say: Words) -> Iterator[tuple[str, k.Kiosk]]:
    coffee = say("手冲咖啡", "手沖咖啡", "Filter coffee", "ドリップコーヒー")
    prizes = [
        k.PrizeView(say("双层保温杯", "雙層保溫杯", "Insulated mug", "保温マグ"), "0.50%", False),
        k.PrizeView(coffee, "12.50%", False),
        k.PrizeView(say("50 积分", "50 點", "50 points", "50pt"), "37.00%", False),
        k.PrizeView(say("帆布袋", "帆布袋", "Canvas bag", "トートバッグ"), "10.00%", True),
        k.PrizeView(say("10 积分", "10 點", "10 points", "10pt"), "40.00%", False),
    ]

    def wheel(**more: object) -> k.Wheel:
        name = say("周年抽奖", "週年抽獎", "Anniversary draw", "周年記念抽選会")
        return k.Wheel(_member(say), "wheel", name, 50, 12860, prizes, COMMIT, **more)  # type: ignore[arg-type]

    yield "wheel", _kiosk(say, wheel())
    yield "wheel-many", _kiosk(say, msgspec.structs.replace(wheel(), prizes=prizes * 2))
    gone = say(
        "今天已抽 3 次，明天再来",
        "今天已抽 3 次，明天再來",
        "3 draws today, come back tomorrow",
        "本日は3回済みです",
    )
    yield "wheel-why-not", _kiosk(say, wheel(why_not=gone))
    won = say("抽中：手冲咖啡", "抽中：手沖咖啡", "You drew: filter coffee", "当たり：ドリップコーヒー")
    coupon = say(
        "券已放入您的账户", "券已放入您的帳戶", "The coupon is in your account", "クーポンをお届けしました"
    )
    drawn = wheel(drawn=1, sentences=[won, coupon], proof="17 · k7m2q9xa4dpe")
    yield "wheel-drawn", _kiosk(say, drawn)


def _others(say: Words) -> Iterator[tuple[str, k.Kiosk]]:
    yield "feedback", _kiosk(say, k.Feedback(None, []))
    reasons = [
        say("等得太久", "等太久", "The wait", "待ち時間"),
        say("店员态度", "店員態度", "The staff", "スタッフの対応"),
        say("商品缺货", "商品缺貨", "Out of stock", "品切れ"),
        say("价格", "價格", "Prices", "価格"),
    ]
    yield "feedback-reasons", _kiosk(say, k.Feedback(2, reasons))
    yield "feedback-thanks", _kiosk(say, k.Feedback(5, []))
    entries = [
        k.FaqEntry(
            say(
                "积分什么时候到期？", "點數什麼時候到期？", "When do points expire?", "ポイントの有効期限は？"
            ),
            say(
                "获得后满一年的月底到期。",
                "獲得後滿一年的月底到期。",
                "At the end of the month a year later.",
                "獲得から1年後の月末です。",
            ),
        ),
        k.FaqEntry(
            say("会员卡丢了怎么办？", "會員卡遺失怎麼辦？", "I lost my card", "カードをなくしました"), "—"
        ),
        k.FaqEntry(say("怎样退会？", "如何退會？", "How do I leave?", "退会するには？"), "—"),
        k.FaqEntry(
            say("密码忘了怎么办？", "忘記密碼怎麼辦？", "I forgot my PIN", "暗証番号を忘れました"), "—"
        ),
    ]
    yield "faq", _kiosk(say, k.Faq(entries))
    for state in ("none", "called", "coming", "busy"):
        comfort = k.Comfort(longer=True)
        yield (
            f"help-{state}",
            _kiosk(say, k.Help(True), help=state, remembers=False, in_session=True, comfort=comfort),
        )
    yield "help-nobody", _kiosk(say, k.Help(False), speaks=False)


def _joining(say: Words) -> Iterator[tuple[str, k.Kiosk]]:
    session = {"in_session": True}
    yield "join-consent", _kiosk(say, k.Join("consent", True), **session)
    yield "join-phone", _kiosk(say, k.Join("phone", True), **session)
    yield "join-code", _kiosk(say, k.Join("code", True, phone="*** 8000"), **session)
    welcome = say("新会员礼 +50 积分", "新會員禮 +50 點", "Welcome gift: 50 points", "入会特典 +50pt")
    normal = k.MemberView("", say("普通会员", "一般會員", "Member", "一般会員"), 2)
    yield (
        "join-joined",
        _kiosk(say, k.Join("joined", True, member=normal, points=50, given=[welcome]), **session),
    )
    yield "join-joined-phone", _kiosk(say, k.Join("joined", False, member=normal), **session)


def _staff(say: Words) -> Iterator[tuple[str, k.Kiosk]]:
    name = say("李店员", "李店員", "Li", "李")
    yield "staff-hello", _kiosk(say, k.StaffMenu(name, "hello"))
    yield "staff-pin", _kiosk(say, k.StaffMenu(name, "pin"), in_session=True)
    paper = [TroubleView("printer", "paper_out")]
    menu = k.StaffMenu(name, "menu")
    yield "staff-menu", _kiosk(say, menu, in_session=True, printer="trouble", troubles=paper)
    yield "staff-closed", _kiosk(say, k.StaffMenu(name, "menu", closed=True), in_session=True)


PARTS = (
    _nobody,
    _balances,
    _lists,
    _rewards,
    _digits,
    _activities,
    _questions,
    _wheels,
    _others,
    _joining,
    _staff,
)
