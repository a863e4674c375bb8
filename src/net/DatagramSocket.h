// SPDX-License-Identifier: Apache-2.0
//
// DatagramSocket: the one place that touches a UDP file descriptor. It receives and sends in
// batches, keeps for each datagram which of our addresses it came to, and answers from there.
//
// QDtls and QDtlsClientVerifier write to a QUdpSocket. output() gives them one that has no
// descriptor of its own: each of their writes becomes one datagram in this socket's queue. Tests
// override receiveBatch() and sendBatch(), and run the whole server without a network.
#pragma once

#include "core/Descriptor.h"
#include "core/Result.h"
#include "core/SocketAddress.h"
#include "net/MessageSlots.h"

#include <QByteArray>
#include <QObject>
#include <QSocketNotifier>
#include <QUdpSocket>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace dtlsd {

struct ReceivedDatagram
{
    Path path;
    QByteArrayView bytes; ///< valid until the buffer receives again
};

struct OutgoingDatagram
{
    Path path;
    QByteArray bytes;
};

/// Room for a batch of datagrams of any size; shared by the sockets of one thread.
class ReceiveBuffer
{
public:
    explicit ReceiveBuffer(std::size_t slots = 64);

    /// How many datagrams fit.
    [[nodiscard]] std::size_t slots() const { return m_slots; }
    /// The room for datagram @p slot.
    [[nodiscard]] std::span<char> room(std::size_t slot);
    /// As many, with that room.
    [[nodiscard]] MessageSlots &messages() { return m_messages; }
    /// Whether more may be waiting where the datagrams came from.
    [[nodiscard]] bool isFull() const { return received.size() == m_slots; }

    std::vector<ReceivedDatagram> received;

private:
    static constexpr std::size_t maximumDatagram = 65'536;

    std::size_t m_slots;
    std::unique_ptr<char[]> m_bytes; // its pages are only used once a datagram reaches them
    MessageSlots m_messages;
};

class DatagramSocket : public QObject
{
    Q_OBJECT

public:
    enum class Sharing {
        First,  ///< the port must be free, and is then open to siblings
        Sibling ///< joins a socket of this process on the same address (SO_REUSEPORT)
    };

    struct Options
    {
        Sharing sharing = Sharing::First;
        int receiveBuffer = 0; ///< bytes, SO_RCVBUF; 0 = the system's default
        bool isPaused = false; ///< receives nothing before resume()
    };

    /// Bound and listening to @p address; port 0 lets the kernel pick. The error names the address
    /// and the reason.
    static Result<std::unique_ptr<DatagramSocket>> bind(const SocketAddress &address,
                                                        const Options &options);

    /// The same without an object, for a socket that another thread will adopt(). `isPaused` means
    /// nothing here.
    static Result<Descriptor> open(const SocketAddress &address, const Options &options);
    /// Takes a UDP socket over IPv4, IPv6 or both that is bound already, with the receive buffer
    /// it has; paused. Its open file description may be others' too: it may well be blocking.
    static std::unique_ptr<DatagramSocket> adopt(Descriptor descriptor);
    /// Where @p descriptor is bound.
    static SocketAddress addressOf(int descriptor);
    /// What the kernel granted it, in bytes of payload and bookkeeping; 0 if unknown.
    static int receiveBufferOf(int descriptor);

    ~DatagramSocket() override;

    /// Where it is bound, with the port that the kernel picked.
    [[nodiscard]] const SocketAddress &localAddress() const { return m_local; }
    [[nodiscard]] int receiveBufferSize() const { return receiveBufferOf(m_descriptor.number()); }

    void resume() { m_notifier->setEnabled(true); }
    /// Receives nothing any more.
    void pause()
    {
        if (m_notifier) // tests have sockets without a descriptor
            m_notifier->setEnabled(false);
    }
    /// Whether it receives: its descriptor is a socket, and somebody looks after it.
    [[nodiscard]] bool isReceiving() const
    {
        return m_notifier->isEnabled() && receiveBufferSize() > 0;
    }

    /// How many datagrams the kernel has dropped since this was last asked, since its buffer was
    /// full.
    [[nodiscard]] std::uint64_t takeOverflow();

    /// Fills @p buffer with what is waiting, as many as fit. false: nothing was.
    bool receive(ReceiveBuffer &buffer);

    /// For QDtls: what it writes goes along @p path, until output() is called again.
    [[nodiscard]] QUdpSocket *output(const Path &path);
    /// The last datagram written since output() was called; empty if none.
    [[nodiscard]] QByteArrayView lastOutput() const;

    /// Sends what is queued. UDP's promise: what the kernel does not take at once is lost.
    void flush();

Q_SIGNALS:
    /// Level-triggered: repeated until everything has been received.
    void readyRead();

protected:
    /// For a socket without descriptor, as tests need it.
    explicit DatagramSocket(const SocketAddress &local);

    virtual void receiveBatch(ReceiveBuffer &buffer);
    virtual void sendBatch(std::span<const OutgoingDatagram> batch);

private:
    class Output;

    DatagramSocket(Descriptor descriptor, const SocketAddress &local, int family);
    void enqueue(QByteArrayView datagram);

    Descriptor m_descriptor;
    int m_family = 0;
    std::uint32_t m_overflow = 0;
    SocketAddress m_local;
    std::unique_ptr<QSocketNotifier> m_notifier;
    std::unique_ptr<Output> m_output;
    Path m_path;
    bool m_hasLastOutput = false;
    std::vector<OutgoingDatagram> m_queue; // of fixed length, so that datagrams reuse its memory
    std::size_t m_queued = 0;              // of it
    MessageSlots m_messages;               // to send it
};

} // namespace dtlsd
