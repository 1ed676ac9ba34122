def keep():
    # lưu khóa người dùng
    pass
