// SPDX-License-Identifier: Apache-2.0
//
// FakeControl: a control socket that sends every client the answer that a test sets.
#pragma once

#include <QByteArray>
#include <QList>
#include <QLocalServer>
#include <QObject>
#include <QTemporaryDir>

class QLocalSocket;

namespace dtlsd::test {

class FakeControl : public QObject
{
    Q_OBJECT

public:
    enum class Manner {
        AtOnce,     ///< after the question; then it closes
        ByteByByte, ///< after the question, with a pause after each byte
        Unasked     ///< without waiting for the question
    };

    /// Listens in a directory of its own, which others cannot enter.
    FakeControl();

    [[nodiscard]] QString path() const { return m_server.fullServerName(); }
    [[nodiscard]] QString directory() const { return m_directory.path(); }

    /// Sets the answer to each question from now on.
    void answer(const QByteArray &answer, Manner manner = Manner::AtOnce);

    /// The lines that came, oldest first.
    [[nodiscard]] const QList<QByteArray> &questions() const { return m_questions; }

private:
    void serve(QLocalSocket *connection);
    void say(QLocalSocket *connection) const;
    void sayByteByByte(QLocalSocket *connection) const;

    QTemporaryDir m_directory;
    QLocalServer m_server;
    QByteArray m_answer;
    Manner m_manner = Manner::AtOnce;
    QList<QByteArray> m_questions;
};

} // namespace dtlsd::test
