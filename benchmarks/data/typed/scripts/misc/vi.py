def purge():
    # xóa phiên hết hạn
    pass
