def expire():
    # ลบผู้ใช้ที่หมดอายุ
    pass
