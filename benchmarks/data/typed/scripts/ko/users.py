# 사용자 관리


def remove(user):
    # 사용자를 삭제하고 세션을 닫는다
    user.close()


def call(path):
    # 결제 api를 호출한다
    return path


def value(key):
    # 캐시에서 값을 읽는다
    return key
