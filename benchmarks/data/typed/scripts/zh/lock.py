# 并发控制


def acquire(name):
    # 先加锁，再写入缓存
    return _LOCKS.setdefault(name, object())


def release(name):
    # 解锁后通知等待的线程
    _LOCKS.pop(name, None)
