"""The XGBoost image in algorithm mode, a code base of its own. See docs/notes/xgboost.md#data."""
