// SPDX-License-Identifier: Apache-2.0
//
// Usage: load-clients PORT SESSIONS WINDOW MESSAGES BYTES
// Opens the sessions, prints `ready`, waits for a line, sends the messages and waits for receipts,
// prints its figures as JSON, and waits for the end of its input, so that its CPU time can be read.
#include "bench/load/EchoLoad.h"
#include "bench/load/Opening.h"
#include "bench/load/Statistics.h"
#include "bench/throughput/Load.h"

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

using namespace dtlsd::bench;

namespace {

constexpr std::chrono::seconds patience{10};

int complain(const char *what)
{
    std::cerr << "load-clients: " << what << '\n';
    return EXIT_FAILURE;
}

void report(std::chrono::nanoseconds took, const Latencies &latencies)
{
    const auto at = [&](double share) { return microseconds(latencies.percentile(share)); };
    std::printf(R"({"seconds": %.6f, "latency": {"p50": %.1f, "p90": %.1f, "p99": %.1f, )"
                R"("p99.9": %.1f, "max": %.1f}})"
                "\n",
                seconds(took), at(0.5), at(0.9), at(0.99), at(0.999), at(1));
    static_cast<void>(std::fflush(stdout));
}

/// A fleet with open sessions; nullptr: one did not open.
std::unique_ptr<LoadFleet> openFleet(quint16 port, std::size_t sessions)
{
    LoadFleet::Options options;
    options.port = port;
    options.clients = sessions;
    const dtlsd::PskKey key(QByteArray::fromHex(keyHex));
    for (std::size_t session = 0; session < sessions; ++session)
        options.credentials.push_back(
            {QByteArray::fromStdString(identity(static_cast<int>(session))), key});
    auto fleet = LoadFleet::make(std::move(options));
    if (!fleet)
        return nullptr;
    return Opening(*fleet.value(), 1, patience).run() ? std::move(fleet).value() : nullptr;
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 6)
        return complain("usage: load-clients PORT SESSIONS WINDOW MESSAGES BYTES");
    const auto number = [argv](int i) { return std::strtoul(argv[i], nullptr, 10); };
    const std::size_t messages = number(4);
    const std::size_t sessions = number(2);
    const std::size_t window = number(3);
    const auto fleet = openFleet(static_cast<quint16>(number(1)), sessions);
    if (!fleet)
        return complain("a session did not open");
    EchoLoad load(*fleet, {window, sessions * window, number(5)});

    std::cout << "ready\n" << std::flush;
    std::string line;
    std::getline(std::cin, line);
    const auto begin = LoadFleet::Clock::now();
    if (!load.runUntil(messages))
        return complain("a receipt did not come");
    report(LoadFleet::Clock::now() - begin, Latencies(load.counts().latencies));
    std::getline(std::cin, line);
    return EXIT_SUCCESS;
}
