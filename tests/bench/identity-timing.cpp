// SPDX-License-Identifier: Apache-2.0
//
// Usage: identity-timing [HANDSHAKES]
// Measures the server's time for a client's last flight with a known identity and a wrong key, with
// an unknown identity, and with an identity that is not allowed from its address: 2,000 of each, or
// HANDSHAKES, in random order, among 10,000 configured identities and without a network. If the
// times differ by more than two halves of the first kind do, an observer could tell which
// identities exist.
#include "support/MemoryNetwork.h"

#include <QCoreApplication>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <numeric>
#include <random>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

constexpr int configured = 10'000;

struct Kind
{
    const char *name;
    QByteArray prefix;         // a number follows: another identity each time
    std::vector<double> times; // microseconds of CPU
};

ServerSettings settings()
{
    ServerSettings settings = MemoryNetwork::defaultSettings();
    auto identities = std::make_shared<PskStore>();
    const QList<Subnet> elsewhere{QHostAddress::parseSubnet(QStringLiteral("10.0.0.0/8"))};
    for (int i = 0; i < configured / 2; ++i) {
        const QByteArray number = QByteArray::number(10'000 + i);
        const PskKey key = MemoryNetwork::key();
        identities->add("sensor-" + number,
                        {.key = key, .nextKey = {}, .allowFrom = {}, .reply = {}});
        identities->add("remote-" + number,
                        {.key = key, .nextKey = {}, .allowFrom = elsewhere, .reply = {}});
    }
    settings.identities = identities;
    settings.limits.handshakeTimeout = std::chrono::hours(1);
    return settings;
}

double cpuMicroseconds()
{
    timespec now{};
    // Fails only for unknown clocks.
    static_cast<void>(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now));
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

/// The server's CPU time for the last flight of handshake @p number, in microseconds.
double timeOfLastFlight(MemoryNetwork &network, int number, const QByteArray &identity)
{
    auto options = MemoryNetwork::defaultClient();
    options.identity = identity;
    options.key = PskKey(QByteArray(16, 'x'));
    auto &device = network.add(number, options);
    double took = 0;
    constexpr int flights = 3; // hello, hello with cookie, key exchange and Finished
    for (int flight = 1; flight <= flights; ++flight) {
        const auto sent = MemoryNetwork::takeSent(device);
        const double before = cpuMicroseconds();
        for (const QByteArray &datagram : sent)
            network.arrive(device.address, datagram);
        took = cpuMicroseconds() - before;
        for (const OutgoingDatagram &answer : network.serverSocket->takeSent())
            device.socket->arrive(MemoryNetwork::serverAddress(), answer.bytes);
    }
    network.crash(device);
    return took;
}

double percentile(std::vector<double> values, double part)
{
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

/// The Mann-Whitney rank test: the distance from "no difference" in standard deviations.
double rankScore(const std::vector<double> &a, const std::vector<double> &b)
{
    std::vector<std::pair<double, bool>> all;
    all.reserve(a.size() + b.size());
    for (const double value : a)
        all.emplace_back(value, true);
    for (const double value : b)
        all.emplace_back(value, false);
    std::sort(all.begin(), all.end());
    double ranks = 0;
    for (std::size_t i = 0; i < all.size(); ++i)
        ranks += all[i].second ? static_cast<double>(i + 1) : 0;
    const auto sizeA = static_cast<double>(a.size());
    const auto sizeB = static_cast<double>(b.size());
    const double mean = sizeA * (sizeA + sizeB + 1) / 2;
    return (ranks - mean) / std::sqrt(sizeA * sizeB * (sizeA + sizeB + 1) / 12);
}

/// The largest difference between the medians of two random halves of @p times in 95 of 100 cases.
double noiseOf(std::vector<double> times, std::mt19937 &random)
{
    std::vector<double> differences;
    const auto half = static_cast<std::ptrdiff_t>(times.size() / 2);
    for (int i = 0; i < 500; ++i) {
        std::shuffle(times.begin(), times.end(), random);
        const std::vector<double> first(times.begin(), times.begin() + half);
        const std::vector<double> second(times.begin() + half, times.end());
        differences.push_back(std::abs(percentile(first, 0.5) - percentile(second, 0.5)));
    }
    return percentile(differences, 0.95);
}

} // namespace

int main(int argc, char *argv[])
{
    const QCoreApplication application(argc, argv);
    const int handshakes = argc > 1 ? std::max(QByteArray(argv[1]).toInt(), 100) : 2000;
    std::array<Kind, 3> kinds{{{"known, wrong key", "sensor-", {}},
                               {"unknown", "nobody-", {}},
                               {"from elsewhere", "remote-", {}}}};
    MemoryNetwork network(settings());
    std::mt19937 random(1); // NOLINT(cert-msc51-cpp,bugprone-random-generator-seed): repeatable
    std::array<std::size_t, 3> order{0, 1, 2};
    int number = 0;
    for (int i = 0; i < handshakes; ++i) {
        std::shuffle(order.begin(), order.end(), random);
        for (const std::size_t which : order) {
            const QByteArray identity =
                kinds[which].prefix + QByteArray::number(10'000 + i % (configured / 2));
            number = (number + 1) % 40'000;
            kinds[which].times.push_back(timeOfLastFlight(network, number, identity));
        }
    }

    std::printf("%d handshakes each, microseconds of CPU for the last flight\n", handshakes);
    std::printf("%-18s %8s %8s %8s %8s\n", "", "10 %", "median", "90 %", "99 %");
    for (const Kind &kind : kinds)
        std::printf("%-18s %8.2f %8.2f %8.2f %8.2f\n", kind.name, percentile(kind.times, 0.1),
                    percentile(kind.times, 0.5), percentile(kind.times, 0.9),
                    percentile(kind.times, 0.99));
    const double noise = noiseOf(kinds[0].times, random);
    std::printf("noise: halves of the first kind differ by up to %.2f (95 of 100)\n", noise);
    for (std::size_t i = 1; i < kinds.size(); ++i) {
        const double difference = percentile(kinds[i].times, 0.5) - percentile(kinds[0].times, 0.5);
        std::printf("%s: medians differ by %.2f, rank test z = %.2f: %s\n", kinds[i].name,
                    difference, rankScore(kinds[i].times, kinds[0].times),
                    std::abs(difference) <= noise ? "within noise" : "NOT within noise");
    }
    return 0;
}
