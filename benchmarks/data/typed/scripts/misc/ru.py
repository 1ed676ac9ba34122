def sweep():
    # Удаление просроченных сессий
    pass


def save(order):
    # Сохраняет заказ в базе данных
    pass
