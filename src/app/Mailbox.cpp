// SPDX-License-Identifier: Apache-2.0
#include "app/Mailbox.h"

#include <utility>

#include <sys/eventfd.h>

namespace dtlsd {

Mailbox::Mailbox()
    : m_descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
{
    if (!m_descriptor.isOpen())
        qFatal("eventfd(2) gives no descriptor");
}

void Mailbox::post(Function function)
{
    const std::lock_guard lock(m_mutex);
    m_functions.push_back(std::move(function));
    // Fails only if the counter is full (2^64 - 1 writes unread): the loop is awake then.
    if (m_functions.size() == 1)
        static_cast<void>(eventfd_write(m_descriptor.number(), 1));
}

void Mailbox::open()
{
    m_notifier = std::make_unique<QSocketNotifier>(m_descriptor.number(), QSocketNotifier::Read);
    QObject::connect(m_notifier.get(), &QSocketNotifier::activated, m_notifier.get(),
                     [this] { runAll(); });
}

void Mailbox::runAll()
{
    eventfd_t count = 0;
    std::vector<Function> functions;
    {
        const std::lock_guard lock(m_mutex);
        static_cast<void>(eventfd_read(m_descriptor.number(), &count)); // EAGAIN: read already
        functions.swap(m_functions);
    }
    for (const Function &function : functions)
        function();
}

} // namespace dtlsd
