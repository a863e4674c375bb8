// SPDX-License-Identifier: Apache-2.0
//
// Records as our TLS backend seals and opens them, without a network: known answers that no TLS
// library has made (vectors/records.json), OpenSSL's general interface for AEAD ciphers, and what
// has to be refused.
#include "core/SecretPages.h"
#include "support/RecordBytes.h"
#include "support/TestProgram.h"
#include "tls/RecordProtection.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>
#include <QtEndian>

#include <memory>
#include <set>

#include <openssl/ssl.h>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

using Verdict = AssociationState::Verdict;

QByteArray bytesIn(const QJsonObject &object, const char *name)
{
    return QByteArray::fromHex(object.value(QLatin1StringView(name)).toString().toLatin1());
}

template <std::size_t size>
void copy(const QByteArray &from, std::array<unsigned char, size> &to)
{
    QCOMPARE(from.size(), static_cast<qsizetype>(size));
    std::copy(from.begin(), from.end(), to.begin());
}

template <std::size_t size>
QByteArray first(const std::array<unsigned char, size> &bytes, qsizetype count)
{
    return QByteArray(reinterpret_cast<const char *>(bytes.data()), count);
}

/// OpenSSL's suite of that name.
const SSL_CIPHER *suiteNamed(const QByteArray &name)
{
    static const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(
        SSL_CTX_new(DTLS_method()), &SSL_CTX_free);
    if (SSL_CTX_set_cipher_list(context.get(), (name + ":@SECLEVEL=0").constData()) != 1)
        qFatal("no suite %s", name.constData());
    const STACK_OF(SSL_CIPHER) *list = SSL_CTX_get_ciphers(context.get());
    for (int i = 0; i < sk_SSL_CIPHER_num(list); ++i) {
        if (SSL_CIPHER_get_name(sk_SSL_CIPHER_value(list, i)) == name)
            return sk_SSL_CIPHER_value(list, i);
    }
    return nullptr;
}

/// The peer of @p state, whose keys it has the other way round.
AssociationState peerOf(const AssociationState &state)
{
    AssociationState peer = state;
    std::swap(peer.read, peer.write);
    return peer;
}

/// The plaintext of @p record by OpenSSL's general interface (EVP_EncryptInit(3), "AEAD"), with key
/// @p key of @p suite; null: it is not authentic.
QByteArray openedByEvp(const QByteArray &suite, const AssociationState::Key &key,
                       const QByteArray &record)
{
    const bool isChaCha = suite.endsWith("CHACHA20-POLY1305");
    const bool isCcm = suite.contains("-CCM");
    const qsizetype explicitSize = isChaCha ? 0 : 8;
    const qsizetype tagSize = suite.endsWith("CCM8") ? 8 : 16;
    const QByteArray cipherName =
        isChaCha ? "ChaCha20-Poly1305"
                 : QByteArray(suite.contains("AES256") ? "AES-256" : "AES-128") +
                       (isCcm ? "-CCM" : "-GCM");
    const QByteArray fragment = record.sliced(Record::headerSize);
    const QByteArray text = fragment.sliced(explicitSize).chopped(tagSize);
    QByteArray tag = fragment.last(tagSize);
    std::array<unsigned char, 12> nonce = key.iv;
    for (std::size_t i = 0; i < 8; ++i) {
        const auto byte = static_cast<unsigned char>(record[static_cast<qsizetype>(3 + i)]);
        nonce[4 + i] = static_cast<unsigned char>(isChaCha ? nonce[4 + i] ^ byte : byte);
    }
    QByteArray data = record.sliced(3, 8) + record.first(3) + QByteArray(2, '\0');
    qToBigEndian(static_cast<quint16>(text.size()), data.data() + 11);

    const std::unique_ptr<EVP_CIPHER, decltype(&EVP_CIPHER_free)> cipher(
        EVP_CIPHER_fetch(nullptr, cipherName.constData(), nullptr), &EVP_CIPHER_free);
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
        EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
    EVP_CIPHER_CTX *with = context.get();
    const auto octets = [](const QByteArray &bytes) {
        return reinterpret_cast<const unsigned char *>(bytes.constData());
    };
    const int size = static_cast<int>(text.size());
    QByteArray plaintext(size + 1, '\0');
    auto *const into = reinterpret_cast<unsigned char *>(plaintext.data());
    int written = 0;
    const bool isAuthentic =
        EVP_DecryptInit_ex(with, cipher.get(), nullptr, nullptr, nullptr) == 1 &&
        EVP_CIPHER_CTX_ctrl(with, EVP_CTRL_AEAD_SET_IVLEN, 12, nullptr) == 1 &&
        EVP_CIPHER_CTX_ctrl(with, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tagSize), tag.data()) ==
            1 &&
        EVP_DecryptInit_ex(with, nullptr, nullptr, key.key.data(), nonce.data()) == 1 &&
        (!isCcm || EVP_DecryptUpdate(with, nullptr, &written, nullptr, size) == 1) &&
        EVP_DecryptUpdate(with, nullptr, &written, octets(data), static_cast<int>(data.size())) ==
            1 &&
        EVP_DecryptUpdate(with, into, &written, octets(text), size) == 1 &&
        (isCcm || EVP_DecryptFinal_ex(with, into + size, &written) == 1);
    return isAuthentic ? plaintext.first(size) : QByteArray();
}

struct Suite
{
    QByteArray name;
    QJsonObject answers;
    AssociationState state;
    std::unique_ptr<RecordProtection> protection;
    RecordProtection::Place place = 0;

    QByteArray seal(const QByteArray &plaintext, ContentType type = ContentType::ApplicationData)
    {
        return protection->seal(state, place, type, plaintext).toByteArray();
    }
    /// What the peer seals with @p sequence.
    QByteArray sealByPeer(std::uint64_t sequence, const QByteArray &plaintext)
    {
        AssociationState peer = peerOf(state);
        peer.nextSequence = sequence;
        RecordProtection::Place at = 0;
        const QByteArray record =
            protection->seal(peer, at, ContentType::ApplicationData, plaintext).toByteArray();
        protection->forget(peer, at);
        return record;
    }
    QByteArray open(const QByteArray &bytes)
    {
        const auto record = RecordReader(bytes).next();
        return record ? protection->open(state, place, *record).plaintext.toByteArray()
                      : QByteArray("none");
    }
    Verdict verdictOn(const QByteArray &bytes)
    {
        open(bytes);
        return state.verdict;
    }
};

} // namespace

class TestRecordProtection : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void theKeyBlockIsThatOfTheRfcs();
    void recordsAreThoseOfTheRfcs();
    void whatOneSideSealsTheOtherOpens();
    void sequenceNumbersEndBeforeTheEpoch();
    void whatIsNotAuthenticIsRefusedAndCounted();
    void theWindowHas64Records();
    void moreSessionsThanCiphersKeepTheirKeys();
    void anEndedSessionLeavesNoKeyBehind();
    void noNonceIsUsedTwice();
    void secretsStayOutOfCoreDumps();

private:
    QJsonArray m_answers;
    std::vector<Suite> m_suites;
};

void TestRecordProtection::initTestCase()
{
    QFile file(QStringLiteral(DTLSD_TEST_VECTORS "/records.json"));
    QVERIFY2(file.open(QIODevice::ReadOnly), qPrintable(file.errorString()));
    m_answers = QJsonDocument::fromJson(file.readAll()).object().value(u"suites").toArray();
    QCOMPARE(m_answers.size(), 7);
}

void TestRecordProtection::init()
{
    m_suites.clear();
    for (const QJsonValue value : m_answers) {
        Suite suite;
        suite.answers = value.toObject();
        suite.name = suite.answers.value(u"suite").toString().toLatin1();
        suite.protection = std::make_unique<RecordProtection>(suiteNamed(suite.name));
        KeyBlock::Secret secret;
        copy(bytesIn(suite.answers, "master_secret"), secret.master);
        copy(bytesIn(suite.answers, "client_random"), secret.clientRandom);
        copy(bytesIn(suite.answers, "server_random"), secret.serverRandom);
        QVERIFY(suite.protection->begin(suite.state, secret));
        m_suites.push_back(std::move(suite));
    }
}

void TestRecordProtection::theKeyBlockIsThatOfTheRfcs()
{
    for (const Suite &suite : m_suites) {
        const auto is = [&](const char *name, const auto &bytes) {
            const QByteArray wanted = bytesIn(suite.answers, name);
            return !wanted.isEmpty() && first(bytes, wanted.size()) == wanted;
        };
        QVERIFY2(is("client_key", suite.state.read.key), suite.name);
        QVERIFY2(is("server_key", suite.state.write.key), suite.name);
        QVERIFY2(is("client_iv", suite.state.read.iv), suite.name);
        QVERIFY2(is("server_iv", suite.state.write.iv), suite.name);
    }
}

void TestRecordProtection::recordsAreThoseOfTheRfcs()
{
    int compared = 0;
    for (Suite &suite : m_suites) {
        for (const QJsonValue value : suite.answers.value(u"records").toArray()) {
            const QJsonObject answer = value.toObject();
            if (!answer.value(u"connection_id").isNull() &&
                !answer.value(u"connection_id").isUndefined())
                continue;
            const QByteArray bytes = bytesIn(answer, "record");
            const QByteArray plaintext = bytesIn(answer, "plaintext");
            const auto sequence = static_cast<std::uint64_t>(answer.value(u"sequence").toDouble());
            ++compared;
            if (answer.value(u"from").toString() == u"client") {
                QCOMPARE(suite.open(bytes).toHex(), plaintext.toHex());
                QCOMPARE(suite.state.verdict, Verdict::Authentic);
                QCOMPARE(suite.state.window.top, sequence);
            } else {
                suite.protection->forget(suite.state, suite.place); // as if it had not counted
                suite.state.nextSequence = sequence;
                const auto type = static_cast<ContentType>(answer.value(u"type").toInt());
                QCOMPARE(suite.seal(plaintext, type).toHex(), bytes.toHex());
            }
        }
    }
    QCOMPARE(compared, 7 * 2 * 5);
}

void TestRecordProtection::whatOneSideSealsTheOtherOpens()
{
    constexpr std::uint64_t two16 = std::uint64_t{1} << 16;
    constexpr std::uint64_t two32 = std::uint64_t{1} << 32;
    for (Suite &suite : m_suites) {
        for (const std::uint64_t sequence :
             {std::uint64_t{0}, two16 - 1, two16, two32 - 1, two32, two32 + 1,
              AssociationState::lastSequence - 1, AssociationState::lastSequence}) {
            for (const qsizetype size : {0, 1, 16'384}) {
                suite.state.window = {};
                const QByteArray message(size, 'm');
                suite.protection->forget(suite.state, suite.place); // as if it had not counted
                suite.state.nextSequence = sequence;
                const QByteArray ours = suite.seal(message);
                QCOMPARE(openedByEvp(suite.name, suite.state.write, ours), message);
                QVERIFY(openedByEvp(suite.name, suite.state.write, withFlippedTag(ours)).isNull());
                const QByteArray sealed = suite.sealByPeer(sequence, message);
                QCOMPARE(RecordReader(sealed).next()->sequence, sequence);
                QCOMPARE(suite.open(sealed), message);
                QCOMPARE(suite.state.verdict, Verdict::Authentic);
            }
        }
    }
}

void TestRecordProtection::sequenceNumbersEndBeforeTheEpoch()
{
    for (Suite &suite : m_suites) {
        suite.state.nextSequence = AssociationState::lastSequence;
        const QByteArray last = suite.seal("the last");
        QCOMPARE(RecordReader(last).next()->epoch, 1);
        QVERIFY(suite.seal("one more").isEmpty());
        QVERIFY(suite.seal("and more").isEmpty());
        QCOMPARE(suite.state.nextSequence, AssociationState::lastSequence + 1);
    }
}

void TestRecordProtection::whatIsNotAuthenticIsRefusedAndCounted()
{
    for (Suite &suite : m_suites) {
        const QByteArray good = suite.sealByPeer(7, "message");
        const auto changed = [&](qsizetype at, char by) {
            QByteArray bytes = good;
            bytes[at] = static_cast<char>(bytes[at] ^ by);
            return bytes;
        };
        const qsizetype size = good.size();
        // The tag, the text, the type, the sequence number, which is in the additional data.
        for (const QByteArray &forged :
             {changed(size - 1, 1), changed(size - 20, 1), changed(0, 1), changed(10, 1)})
            QCOMPARE(suite.verdictOn(forged), Verdict::Forged);
        QCOMPARE(suite.state.forgeries, 4U);
        QCOMPARE(suite.verdictOn(changed(2, 2)), Verdict::Refused); // DTLS 1.0
        QCOMPARE(suite.verdictOn(changed(4, 3)), Verdict::Refused); // epoch 2
        QCOMPARE(suite.verdictOn(changed(4, 1)), Verdict::Refused); // epoch 0
        QCOMPARE(suite.verdictOn(record(23, 1, 8, QByteArray(7, 'x'))), Verdict::Refused);
        QCOMPARE(suite.verdictOn(record(23, 1, 8, QByteArray(16'384 + 25, 'x'))), Verdict::Refused);
        QCOMPARE(suite.state.window.seen, 0U);
        QCOMPARE(suite.open(good), "message");
        QCOMPARE(suite.verdictOn(good), Verdict::Repeated);
        QCOMPARE(suite.state.forgeries, 4U);

        std::swap(suite.state.read.key[0], suite.state.read.key[1]); // another key
        suite.protection->forget(suite.state, suite.place);
        QCOMPARE(suite.verdictOn(suite.sealByPeer(9, "message")), Verdict::Authentic);
        const QByteArray ofOther = suite.sealByPeer(10, "message");
        std::swap(suite.state.read.key[0], suite.state.read.key[1]);
        suite.protection->forget(suite.state, suite.place);
        QCOMPARE(suite.verdictOn(ofOther), Verdict::Forged);
    }
}

void TestRecordProtection::theWindowHas64Records()
{
    for (Suite &suite : m_suites) {
        const auto verdictOn = [&](std::uint64_t sequence) {
            return suite.verdictOn(suite.sealByPeer(sequence, "x"));
        };
        QCOMPARE(verdictOn(0), Verdict::Authentic);
        QCOMPARE(verdictOn(0), Verdict::Repeated);
        QCOMPARE(verdictOn(1000), Verdict::Authentic);
        QCOMPARE(verdictOn(1000 - 63), Verdict::Authentic);
        QCOMPARE(verdictOn(1000 - 63), Verdict::Repeated);
        QCOMPARE(verdictOn(1000 - 64), Verdict::Repeated); // too old to tell
        QCOMPARE(verdictOn(1001), Verdict::Authentic);
        QCOMPARE(verdictOn(1000 - 62), Verdict::Authentic);
        QCOMPARE(verdictOn(1000), Verdict::Repeated);
        // A forged one does not move it.
        QCOMPARE(suite.verdictOn(withFlippedTag(suite.sealByPeer(9000, "x"))), Verdict::Forged);
        QCOMPARE(verdictOn(1002), Verdict::Authentic);
        QCOMPARE(verdictOn(AssociationState::lastSequence), Verdict::Authentic);
        QCOMPARE(verdictOn(1003), Verdict::Repeated);
    }
}

void TestRecordProtection::moreSessionsThanCiphersKeepTheirKeys()
{
    constexpr std::size_t sessions = 200;
    for (Suite &suite : m_suites) {
        std::vector<AssociationState> states(sessions, suite.state);
        std::vector<RecordProtection::Place> places(sessions, 0);
        for (std::size_t i = 0; i < sessions; ++i)
            states[i].read.key[5] = states[i].write.key[5] = static_cast<unsigned char>(i);
        for (int round = 0; round < 3; ++round) {
            for (std::size_t i = 0; i < sessions; ++i) {
                AssociationState peer = peerOf(states[i]);
                RecordProtection::Place at = 0;
                const QByteArray sealed =
                    suite.protection
                        ->seal(states[i], places[i], ContentType::ApplicationData, "to the peer")
                        .toByteArray();
                QCOMPARE(suite.protection->open(peer, at, *RecordReader(sealed).next())
                             .plaintext.toByteArray(),
                         "to the peer");
                suite.protection->forget(peer, at);
            }
        }
    }
}

void TestRecordProtection::anEndedSessionLeavesNoKeyBehind()
{
    for (Suite &suite : m_suites) {
        // Another session at the address of an ended one has its own keys.
        const QByteArray before = suite.seal("x");
        suite.protection->forget(suite.state, suite.place);
        suite.state.write.key[0] ^= 1;
        suite.state.nextSequence = 0;
        QVERIFY(suite.seal("x") != before);
    }
}

void TestRecordProtection::noNonceIsUsedTwice()
{
    for (Suite &suite : m_suites) {
        std::set<QByteArray> nonces;
        const bool isExplicit = !suite.name.contains("CHACHA20");
        for (int i = 0; i < 1000; ++i) {
            if (i % 7 == 0) // its cipher goes to another session
                suite.protection->forget(suite.state, suite.place);
            const QByteArray record = suite.seal(QByteArray(i % 50, 'x'));
            const QByteArray sequence = record.sliced(3, 8);
            QCOMPARE(qFromBigEndian<quint64>(sequence.constData()) & 0xffff'ffff'ffff,
                     static_cast<quint64>(i));
            if (isExplicit)
                QCOMPARE(record.sliced(Record::headerSize, 8), sequence);
            nonces.insert(sequence);
        }
        QCOMPARE(nonces.size(), 1000U);
    }
}

void TestRecordProtection::secretsStayOutOfCoreDumps()
{
    SecretPages pages;
    std::pmr::unsynchronized_pool_resource pool(&pages);
    void *secret = pool.allocate(sizeof(AssociationState));
    const auto address = reinterpret_cast<quintptr>(secret);
    QFile maps(QStringLiteral("/proc/self/smaps"));
    QVERIFY(maps.open(QIODevice::ReadOnly));
    bool isHere = false;
    QByteArray flags;
    for (const QByteArray &line : maps.readAll().split('\n')) {
        const QByteArrayList range = line.split(' ').first().split('-');
        bool isHex = false;
        if (const quintptr from = range.first().toULongLong(&isHex, 16); range.size() == 2 && isHex)
            isHere = from <= address && address < range.last().toULongLong(nullptr, 16);
        if (isHere && line.startsWith("VmFlags:"))
            flags = line;
    }
    QVERIFY2(flags.contains(" dd"), flags.constData()); // VM_DONTDUMP
    pool.deallocate(secret, sizeof(AssociationState));
}

DTLSD_TEST(TestRecordProtection)
#include "tst_recordprotection.moc"
