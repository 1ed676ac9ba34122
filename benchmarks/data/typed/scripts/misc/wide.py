def price():
    # ＧＥＴ リクエストの価格
    pass
