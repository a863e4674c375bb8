// SPDX-License-Identifier: Apache-2.0
#include "systemd/UnixSignals.h"

#include <QSocketNotifier>

#include <optional>

#include <sys/signalfd.h>
#include <unistd.h>

namespace dtlsd {

namespace {

std::optional<int> nextSignal(int fd)
{
    signalfd_siginfo info = {};
    if (read(fd, &info, sizeof info) != sizeof info)
        return std::nullopt;
    return static_cast<int>(info.ssi_signo);
}

} // namespace

void ignoreWriteSignals()
{
    for (const int number : {SIGPIPE, SIGXFSZ})
        (void)signal(number, SIG_IGN); // fails only for numbers that are no signals
}

UnixSignals::UnixSignals(std::initializer_list<int> numbers, QObject *parent)
    : QObject(parent)
{
    sigset_t mask = {};
    sigemptyset(&mask);
    for (const int number : numbers)
        sigaddset(&mask, number);
    pthread_sigmask(SIG_BLOCK, &mask, &m_previousMask);
    m_descriptor = Descriptor(signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC));
    if (!m_descriptor.isOpen()) {
        pthread_sigmask(SIG_SETMASK, &m_previousMask, nullptr);
        return;
    }
    auto *notifier = new QSocketNotifier(m_descriptor.number(), QSocketNotifier::Read, this);
    connect(notifier, &QSocketNotifier::activated, this, &UnixSignals::onReadable);
}

UnixSignals::~UnixSignals()
{
    if (!m_descriptor.isOpen())
        return;
    while (nextSignal(m_descriptor.number())) {
    }
    pthread_sigmask(SIG_SETMASK, &m_previousMask, nullptr);
}

void UnixSignals::onReadable()
{
    // One at a time: the notifier fires again.
    if (const auto number = nextSignal(m_descriptor.number()))
        Q_EMIT received(*number);
}

} // namespace dtlsd
