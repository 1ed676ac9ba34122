# 网络请求


def fetch(url):
    # 调用API接口并返回JSON数据
    return _request(url)


def retry(url):
    # 获取zorbat失败时重试三次
    for _ in range(3):
        fetch(url)


def login(name, password):
    # 密码错误时抛出异常
    raise PermissionError("用户名或密码错误")
