// SPDX-License-Identifier: Apache-2.0

internal import CCurl
internal import Glibc
internal import Platform
internal import Synchronization

/// One call of ``CurlTransport/perform(_:)``.
final class Ticket: Sendable {
    typealias Outcome = Result<CurlResponse, CurlError>

    /// When the call was made, by the monotonic clock.
    let startNanoseconds = ProcessControl.monotonicNanoseconds
    private let isCancelledFlag = Atomic(false)

    /// Whether the task was cancelled.
    var isCancelled: Bool { isCancelledFlag.load(ordering: .acquiring) }

    func cancel() {
        isCancelledFlag.store(true, ordering: .releasing)
    }
}

/// Runs all transfers of a transport on one thread. Everything but the inbox belongs to that
/// thread alone.
@safe final class TransferLoop: @unchecked Sendable {
    /// What other threads hand over.
    private struct Inbox {
        var submissions: [Submission] = []
        var cancellations: [Ticket] = []
        var isClosed = false
        /// The thread is about to give up the multi handle; it may no longer be woken.
        var isOver = false
    }

    private struct Submission {
        let ticket: Ticket
        let request: CurlRequest
        let answer: @Sendable (Ticket.Outcome) -> Void
    }

    private struct Entry {
        let transfer: Transfer
        let answer: @Sendable (Ticket.Outcome) -> Void
    }

    private let multi: UnsafeMutableRawPointer
    private let settings: TransferSettings
    private let inbox = Mutex(Inbox())
    /// By the address of the easy handle.
    private var entries: [UInt: Entry] = [:]

    init(_ configuration: CurlTransport.Configuration) throws(CurlError) {
        try check(Self.globalResult)
        guard let multi = unsafe curl_multi_init() else {
            throw CurlError(.failed, CURLE_FAILED_INIT)
        }
        unsafe self.multi = multi
        settings = configuration.transferSettings
        unsafe authledger_multi_setLong(
            multi, CURLMOPT_MAX_HOST_CONNECTIONS, configuration.connectionsPerHostMax)
        unsafe authledger_multi_setLong(
            multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, configuration.connectionsMax)
        unsafe authledger_multi_setLong(multi, CURLMOPT_MAXCONNECTS, configuration.connectionsMax)
    }

    deinit {
        unsafe curl_multi_cleanup(multi)
    }

    /// libcurl's own setting up, once in a process.
    private static let globalResult = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

    // MARK: From any thread

    /// Takes a request; `answer` is called exactly once, from the loop's thread or this one.
    func submit(
        _ ticket: Ticket, _ request: CurlRequest,
        _ answer: @escaping @Sendable (Ticket.Outcome) -> Void
    ) {
        let isTaken = inbox.withLock { inbox in
            guard !inbox.isClosed else { return false }
            inbox.submissions.append(
                Submission(ticket: ticket, request: request, answer: answer))
            wake()
            return true
        }
        if !isTaken { answer(.failure(CurlError(.closed))) }
    }

    /// Gives a request up. A ticket whose request has not come yet is refused when it does.
    func cancel(_ ticket: Ticket) {
        ticket.cancel()
        inbox.withLock { inbox in
            guard !inbox.isOver else { return }
            inbox.cancellations.append(ticket)
            wake()
        }
    }

    /// Takes no more requests, gives up those under way and lets ``run()`` return.
    func close() {
        inbox.withLock { inbox in
            guard !inbox.isOver else { return }
            inbox.isClosed = true
            wake()
        }
    }

    /// Only with the inbox locked and not over, so that the multi handle is there.
    private func wake() {
        unsafe curl_multi_wakeup(multi)
    }

    // MARK: On the loop's thread

    /// Works until the loop is closed.
    func run() {
        Self.blockSignals()
        while true {
            let work = inbox.withLock { inbox in
                defer {
                    inbox.submissions = []
                    inbox.cancellations = []
                    inbox.isOver = inbox.isClosed
                }
                return inbox
            }
            work.submissions.forEach(begin)
            work.cancellations.forEach(drop)
            if work.isClosed { break }
            var running: Int32 = 0
            unsafe curl_multi_perform(multi, &running)
            finishTransfers()
            expireTransfers()
            unsafe curl_multi_poll(multi, nil, 0, millisecondsToNextDeadline, nil)
        }
        for key in entries.keys { end(key) { .failure($0.error(.closed)) } }
    }

    private func begin(_ submission: Submission) {
        guard !submission.ticket.isCancelled else {
            submission.answer(.failure(CurlError(.cancelled)))
            return
        }
        do throws(CurlError) {
            let transfer = try Transfer(submission.ticket, submission.request, settings)
            guard unsafe curl_multi_add_handle(multi, transfer.easy) == CURLM_OK else {
                throw CurlError(.failed, CURLE_FAILED_INIT)
            }
            entries[unsafe UInt(bitPattern: transfer.easy)] = Entry(
                transfer: transfer, answer: submission.answer)
        } catch {
            submission.answer(.failure(error))
        }
    }

    private func drop(_ ticket: Ticket) {
        guard let key = entries.first(where: { $0.value.transfer.ticket === ticket })?.key else {
            return
        }
        end(key) { .failure($0.error(.cancelled)) }
    }

    private func finishTransfers() {
        var remaining: Int32 = 0
        while let message = unsafe curl_multi_info_read(multi, &remaining) {
            guard unsafe message.pointee.msg == CURLMSG_DONE else { continue }
            // The message is gone as soon as its handle is removed.
            let result = unsafe message.pointee.data.result
            end(UInt(bitPattern: unsafe message.pointee.easy_handle)) { $0.outcome(result) }
        }
    }

    private func expireTransfers() {
        let now = ProcessControl.monotonicNanoseconds
        let expired = entries.filter { $0.value.transfer.deadlineNanoseconds <= now }.keys
        for key in expired {
            end(key) { .failure($0.error(.timedOut, CURLE_OPERATION_TIMEDOUT)) }
        }
    }

    /// Takes a transfer out and answers for it.
    private func end(_ key: UInt, _ outcome: (Transfer) -> Ticket.Outcome) {
        guard let entry = entries.removeValue(forKey: key) else { return }
        let result = outcome(entry.transfer)
        unsafe curl_multi_remove_handle(multi, entry.transfer.easy)
        entry.answer(result)
    }

    private var millisecondsToNextDeadline: Int32 {
        guard let next = entries.values.map(\.transfer.deadlineNanoseconds).min() else {
            return Int32.max
        }
        let now = ProcessControl.monotonicNanoseconds
        return next <= now ? 0 : Int32(clamping: (next - now) / 1_000_000 + 1)
    }

    /// Signals are the program's affair. A broken connection must not end it by SIGPIPE either,
    /// which goes to the thread that wrote.
    private static func blockSignals() {
        var signals = sigset_t()
        unsafe sigfillset(&signals)
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    }
}
