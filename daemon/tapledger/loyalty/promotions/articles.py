"""Which articles a rule of the programme is about."""

from __future__ import annotations

from tapledger.loyalty.conditions import Scope
from tapledger.loyalty.promotions.protocol import Named, Slate


class Articles:
    """A scope that is quick to ask. Categories and articles that are named add up; exceptions take away."""

    __slots__ = (
        "_categories", "_except_categories", "_except_skus", "_skus", "everything", "named", "one_category",
        "scope",
    )  # fmt: skip

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._categories, self._skus = frozenset(scope.categories), frozenset(scope.skus)
        self._except_categories = frozenset(scope.except_categories)
        self._except_skus = frozenset(scope.except_skus)
        self.named = bool(scope.categories or scope.skus)
        excepts = bool(scope.except_categories or scope.except_skus)
        self.everything = not (self.named or excepts)
        self.one_category = len(self._categories) == 1 and not (self._skus or excepts)

    def has(self, article: Named) -> bool:
        if self.everything:
            return True
        category, sku = article.category, article.sku
        if category in self._except_categories or sku in self._except_skus:
            return False
        return not self.named or category in self._categories or sku in self._skus

    def of(self, slate: Slate) -> list[int]:
        """Return the lines of a slate that are in scope."""
        if self.everything:
            return slate.goods
        return [i for i in slate.goods if self.has(slate.articles[i])]
