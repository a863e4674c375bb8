// SPDX-License-Identifier: Apache-2.0
#include "bench/throughput/LoadFleet.h"

#include "bench/throughput/Load.h"

#include <algorithm>
#include <array>

#include <sys/epoll.h>
#include <unistd.h>

namespace dtlsd::bench {

namespace {

constexpr std::chrono::milliseconds patience{10'000};

} // namespace

LoadFleet::LoadFleet(const Options &options)
    : m_options(options)
    , m_context(LoadSession::makeContext())
    , m_epoll(epoll_create1(EPOLL_CLOEXEC))
    , m_devices(static_cast<std::size_t>(options.sessions))
    , m_message(message(0, options.messageSize))
{
}

LoadFleet::~LoadFleet()
{
    close(m_epoll);
}

bool LoadFleet::open()
{
    if (!m_context)
        return false;
    int number = 0;
    for (Device &device : m_devices) {
        device.session = std::make_unique<LoadSession>(*m_context, m_options.server,
                                                       identity(number++), m_batch);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = &device;
        if (!device.session->open(patience) ||
            epoll_ctl(m_epoll, EPOLL_CTL_ADD, device.session->socket(), &event) != 0)
            return false;
    }
    return true;
}

bool LoadFleet::run(std::size_t messages)
{
    m_latencies.reserve(messages);
    for (Device &device : m_devices)
        fill(device, messages);
    while (m_latencies.size() < messages) {
        std::array<epoll_event, DatagramBatch::capacity> events{};
        const int count = epoll_wait(m_epoll, events.data(), static_cast<int>(events.size()),
                                     static_cast<int>(patience.count()));
        if (count <= 0)
            return false;
        for (const epoll_event &event : std::span(events).first(static_cast<std::size_t>(count))) {
            auto &device = *static_cast<Device *>(event.data.ptr);
            receive(device);
            fill(device, messages);
        }
    }
    std::sort(m_latencies.begin(), m_latencies.end());
    return true;
}

void LoadFleet::receive(Device &device)
{
    const auto now = Clock::now();
    for (int count = device.session->receive(); count > 0 && !device.unanswered.empty(); --count) {
        m_latencies.push_back(now - device.unanswered.front());
        device.unanswered.pop_front();
    }
}

void LoadFleet::fill(Device &device, std::size_t messages)
{
    const auto now = Clock::now();
    while (m_sent < messages && device.unanswered.size() < m_options.window) {
        writeNumber(m_message.data(), m_sent++);
        device.session->send(m_message);
        device.unanswered.push_back(now);
    }
    device.session->flush();
}

} // namespace dtlsd::bench
