// SPDX-License-Identifier: Apache-2.0
#include "core/Console.h"
#include "tools/dtls-send/Arguments.h"
#include "tools/dtls-send/Conversation.h"

#include <QCoreApplication>

#include <cstdio>
#include <exception>

#include <sysexits.h>

using namespace dtlsd;

int main(int argc, char *argv[])
try {
    occupyStandardStreams();
    qputenv("LC_ALL", "C.UTF-8"); // Qt complains about a locale without UTF-8
    const QCoreApplication application(argc, argv);

    const auto arguments = Arguments::parse(QCoreApplication::arguments());
    if (const auto *stop = std::get_if<Arguments::Stop>(&arguments)) {
        say(stop->status == 0 ? stdout : stderr, stop->message);
        return stop->status;
    }
    Conversation conversation(std::get<Conversation::Options>(arguments));
    // Queued, because the event loop that exit() ends may not run yet.
    QObject::connect(&conversation, &Conversation::finished, &application, &QCoreApplication::exit,
                     Qt::QueuedConnection);
    conversation.start();
    return QCoreApplication::exec();
} catch (const std::exception &error) {
    say(stderr, QStringLiteral("dtls-send: %1\n").arg(QString::fromUtf8(error.what())));
    return EX_SOFTWARE;
}
