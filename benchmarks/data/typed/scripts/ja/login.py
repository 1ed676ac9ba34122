# 認証


def ensure_login(user):
    # ログイン済みユーザーを確認する
    return user.active


def half(user):
    # ﾛｸﾞｱｳﾄ処理 (半角)
    user.active = False


def shops():
    # 𠮷野家の店舗一覧を返す
    return []
