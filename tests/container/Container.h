// SPDX-License-Identifier: Apache-2.0
//
// Container: dtlsd's image or another, run by podman as packaging/docs/containers.md says, with a
// folder of configuration. The test runs by `in-namespaces`, so that no container outlives it.
#pragma once

#include "support/ChildProcess.h"
#include "support/EventLines.h"

#include <QByteArray>
#include <QJsonObject>
#include <QList>
#include <QTemporaryDir>

#include <optional>
#include <utility>

namespace dtlsd::test {

class Container
{
public:
    /// What the images are called here.
    static QString image() { return QStringLiteral("localhost/dtlsd"); }
    static QString coapServer() { return QStringLiteral("localhost/coap-server"); }

    /// Whether this works here; if not, @p why says what is missing.
    static bool isAvailable(QString *why);

    struct Outcome
    {
        int status = -1; ///< -1: it did not end
        QByteArray output;
        QString errors;
    };
    /// podman(1), with what this machine needs.
    static Outcome podman(const QStringList &arguments,
                          QDeadlineTimer deadline = QDeadlineTimer(patience));

    explicit Container(QString ofImage = image())
        : m_image(std::move(ofImage))
    {
    }

    /// Writes a file of mode 0400, the container's user's, into the folder.
    void write(const QString &name, const QByteArray &content);

    /// More options of podman-run(1); before launch().
    void addOptions(const QStringList &options) { m_options += options; }
    /// As `--network`, in place of the host's; before launch().
    void setNetwork(const QString &network) { m_network = network; }
    /// The network of this one, for another.
    [[nodiscard]] QString network() const { return QStringLiteral("container:") + m_name; }

    /// Begins with the folder at /etc/dtlsd, if something was written; returns at once.
    bool launch(const QStringList &arguments = {});
    /// launch(), and waits for `started`.
    [[nodiscard]] bool start();
    /// Of a container that ends by itself.
    [[nodiscard]] Outcome waitForEnd();
    /// `podman stop`: SIGTERM, and after a second SIGKILL, whose status is 137.
    [[nodiscard]] Outcome stop();
    /// As Docker and podman do every 30 s.
    [[nodiscard]] Outcome checkHealth() const;
    /// Of its first process; 0: it does not run.
    [[nodiscard]] qint64 processId() const;

    /// All events of that name so far, oldest first.
    [[nodiscard]] QList<QJsonObject> events(const QString &name);
    /// Lines on standard output that are no JSON objects.
    [[nodiscard]] QList<QByteArray> strayLines();
    [[nodiscard]] QString errorText();

private:
    void readOutput();

    const QString m_image;
    QTemporaryDir m_folder;
    QString m_name;
    QString m_network = QStringLiteral("host");
    QStringList m_options;
    bool m_isConfigured = false;
    ChildProcess m_process;
    EventLines m_output;
    QString m_errors;
};

} // namespace dtlsd::test
