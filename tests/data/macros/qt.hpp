QT_BEGIN_NAMESPACE
class Q_WIDGETS_EXPORT Panel : public QWidget
{
    Q_OBJECT
    Q_PROPERTY(int depth READ depth WRITE setDepth NOTIFY depthChanged)
    Q_PROPERTY(QString name MEMBER m_name)
    Q_ENUM(Mode)
    Q_DISABLE_COPY(Panel)
public:
    explicit Panel(QWidget *parent = nullptr);
    ~Panel() Q_DECL_OVERRIDE;
    Q_INVOKABLE void poke(int x);
    Q_REQUIRED_RESULT int depth() const Q_DECL_NOEXCEPT { return d; }
signals:
    void depthChanged(int depth);
public slots:
    void setDepth(int depth);
Q_SIGNALS:
    void moved();
private Q_SLOTS:
    void onMoved() { emit moved(); Q_EMIT moved(); }
private:
    Q_DECLARE_PRIVATE(Panel)
    QString m_name;
    int d;
};
QT_END_NAMESPACE
Q_DECLARE_METATYPE(Panel*)
