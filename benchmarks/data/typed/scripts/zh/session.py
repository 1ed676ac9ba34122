# 会话管理模块


class SessionStore:
    """保存用户会话，过期后自动删除。"""

    def get_user(self, token):
        # 根据令牌查找用户，找不到时返回空
        return self._users.get(token)

    def purge(self):
        # 清理过期会话
        for token in list(self._expired()):
            del self._users[token]
