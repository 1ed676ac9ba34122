"""Everyday words of programming in other languages → the English ones that code is written with.

For questions of which no word is in the code as it is ("过期的会话在哪里被删除？"). Words of alphabets are given by
their beginnings, since they are inflected; words of Chinese, Japanese and Korean by what a sentence holds.
"""

from __future__ import annotations

import re
from functools import cache

_WORDS = """
add: hinzufüg ajout añad agreg adicion aggiun toevoeg добав 添加 增加 追加 추가
argument: argument аргумент 参数 引数 인수
array: tableau arreglo массив 数组 配列 배열
authenticate login: anmeld authentifi connexion autentic autentif вход авториз 登录 认证 認証 ログイン 로그인 인증
buffer: puffer tampon буфер 缓冲 バッファ 버퍼
cache: zwischenspeich antémémoire кэш кеш 缓存 キャッシュ 캐시
call: aufruf aufgeruf appel llama chamad вызов вызыв вызва 调用 呼び出 호출
check validate: prüf überprüf vérifi valid comprob verific провер 检查 验证 校验 検証 確認 검증 확인
close: schließ geschloss ferm cerr fech закры 关闭 閉じ 닫
command: befehl commande comando команд 命令 コマンド 명령
compare: vergleich compar срав 比较 比較 비교
compress: komprim compress comprim сжати сжима 压缩 圧縮 압축
config setting: konfigur einstellung configur paramètr ajuste конфиг настрой 配置 设置 設定 설정
connect connection: verbind conne conexi conect подключ соедин 连接 接続 연결
convert: umwandl konvert convert преобраз 转换 変換 변환
copy: kopi copi копир 复制 拷贝 コピー 복사
count: zähl compt счит подсч 计数 数える 개수
create: erstell erzeug anleg angelegt créer créé crée crea cria созда 创建 作成 生成 생성
database: datenbank баз 数据库 データベース 데이터베이스
decode: dekodier décod decodific декодир 解码 デコード 디코딩
default: standardwert défaut predeterminad padrão умолчан 默认 既定 デフォルト 기본값
delete remove: lösch gelösch entfern supprim efface elimin borra remov удал 删除 移除 清除 削除 삭제 제거
download: herunterlad heruntergelad télécharg descarg загруж скачив 下载 ダウンロード 다운로드
encode: kodier encod codific кодир 编码 エンコード 인코딩
encrypt: verschlüssel chiffr cifra шифр 加密 暗号 암호화
error exception: fehler ausnahme erreur excepti erro ошиб исключен 错误 异常 エラー 例外 오류 예외 에러
event: ereignis événement evento событи 事件 イベント 이벤트
expire expired: abgelaufen ablauf expir caduc vencid истек истёк просроч 过期 到期 期限切れ 만료
file: 文件 ファイル 파일
find search: such gesuch cherch recherch busc procur поиск ищет найти искать 查找 搜索 搜寻 検索 검색
format: formatier format форматир 格式 書式 형식
generate: generier génér generar gerar генерир 生成
header: kopfzeile en-tête cabecer заголов 头部 请求头 ヘッダ 헤더
hash: hash хеш хэш 哈希 ハッシュ 해시
index: indiz индекс 索引 インデックス 색인 인덱스
initialize init: initialis inicializ инициал 初始化 初期化 초기화
input: eingabe entrée entrada ввод 输入 入力 입력
insert: einfüg eingefüg insér inserta вставк 插入 挿入 삽입
install: installier install instal установ 安装 インストール 설치
key: schlüssel clé clave chave ключ 密钥 鍵 キー
limit: begrenz beschränk limit огранич 限制 制限 제한
list: liste lista списо 列表 一覧 リスト 목록
load: geladen laden charg carga загруз 加载 読み込 로드
lock: sperr verrou bloque блокир 锁 ロック 잠금
log logging: protokoll journal registr журнал логир 日志 ログ 로그
memory: speicher mémoire memoria memória памят 内存 メモリ 메모리
message: nachricht meldung mensaj mensag сообщен 消息 メッセージ 메시지
middleware: middleware 中间件 ミドルウェア 미들웨어
merge: zusammenführ fusionn fusion слиян 合并 マージ 병합
move: verschieb verschob déplac mover перемещ 移动 移動 이동
network: netzwerk réseau сеть 网络 ネットワーク 네트워크
open: öffn geöffn ouvr abre abrir откры 打开 開く
output: ausgabe sortie salida saída вывод 输出 出力 출력
parse parser: geparst pars analys analiz analis парсин разбор разбира 解析 パース 構文解析 파싱
password: passwort kennwort passe contraseñ senha парол 密码 パスワード 비밀번호
path: pfad chemin ruta caminho путь пути 路径 パス 경로
permission: berechtig permission permis разрешен 权限 権限 권한
plugin: erweiterung extension плагин 插件 プラグイン 플러그인
print: druck imprim печат 打印 印刷 출력
process: prozess processus proceso процесс 进程 プロセス 프로세스
query: abfrag requête consult запрос 查询 クエリ 쿼리
queue: warteschlange очеред 队列 キュー 큐
random: zufall aléatoire aleator случайн 随机 乱数 무작위
read: lesen liest gelesen lire lecture leer leíd чита чтен 读取 読む 読み取 읽
redirect: umleit weiterleit redirig перенаправ 重定向 リダイレクト 리다이렉트
register: registrier enregistr registr регистр 注册 登録 등록
rename: umbenenn renomm renombr переимен 重命名 改名
render: gerendert darstell rendu renderiz рендер отрисов 渲染 描画 렌더링
request: anfrage requête petición solicit requisiç запрос 请求 リクエスト 요청
response: antwort réponse respuesta resposta ответ 响应 レスポンス 応答 응답
retry: wiederhol réessai reintent повтор 重试 再試行 リトライ 재시도
route router: route rout enrut маршрут 路由 ルーティング ルート 라우팅
run execute: ausführ ausgeführ exécut ejecut execut запуск выполн 运行 执行 実行 실행
save store: gespeicher speicher sauvegard enregistr guard salv сохран 保存 存储 저장
schedule: geplant planifi programad agend расписан 调度 計画 スケジュール 예약
send: senden sendet gesend envoi envoy envia отправ 发送 送信 전송 보내
serialize: serialis sérialis serializ сериализ 序列化 シリアライズ 직렬화
server: serveur servidor сервер 服务器 サーバ 서버
session: sitzung sesión sesion sessão sessao сесси 会话 會話 セッション 세션
sort: sortier trier trié orden сортир 排序 ソート 정렬
split: teilen aufteil geteil divis divid раздел 分割 拆分 분할
start: starte gestartet démarr lanc inici запуск 启动 開始 시작
stop: anhalt gestoppt arrêt deten parar останов 停止 중지
string: zeichenkette chaîne cadena строк 字符串 文字列 문자열
sum: summe somme suma сумм 求和 合計 합계
table: tabelle tabla tabela таблиц 表格 テーブル 테이블
template: vorlage modèle plantilla modelo шаблон 模板 テンプレート 템플릿
test: prüfung essai prueba teste тест 测试 テスト 테스트
thread: faden hilo поток 线程 スレッド 스레드
time timeout: zeitüberschreitung délai tiempo tempo тайм 超时 タイムアウト
token: токен 令牌 トークン 토큰
tree: baum arbre árbol árvore дерев 树 ツリー 木構造 트리
update: aktualisier actualiz atualiz обнов 更新 갱신 업데이트
upload: hochlad hochgelad téléverse subir 上传 アップロード 업로드
user: benutzer nutzer utilisateur usuari пользовател 用户 ユーザ 사용자
value: wert valeur valor значени 値 값
version: version versión версия 版本 バージョン 버전
wait: warte attend attent esper ожида 等待 待つ 待機 대기
write: schreib geschrieb écri escri запис пишет 写入 書き込 쓰기
"""
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def translated(text: str) -> list[str]:
    """English words for those of a question in another language, in the order of the question."""
    low = text.casefold()
    found: list[tuple[int, str]] = []
    for english, pattern in _table():
        if (match := pattern.search(low)) is not None:
            found += [(match.start(), word) for word in english]
    return list(dict.fromkeys(word for _, word in sorted(found, key=lambda pair: pair[0])))


@cache
def _table() -> list[tuple[list[str], re.Pattern[str]]]:
    out = []
    for row in _WORDS.strip().split("\n"):
        english, _, foreign = row.partition(":")
        beginnings = [re.escape(word) if _CJK.match(word) else rf"\b{re.escape(word)}" for word in foreign.split()]
        out.append((english.split(), re.compile("|".join(beginnings))))
    return out
