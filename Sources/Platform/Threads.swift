// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A thread of its own for work that blocks, such as waiting for a disk.
public final class WorkerThread: @unchecked Sendable {
    private var handle = pthread_t()
    private var isJoined = false

    /// Starts a thread that runs `body` to its end.
    public init(_ body: @escaping @Sendable () -> Void) throws(SystemError) {
        let context = unsafe Unmanaged.passRetained(ThreadBody(body)).toOpaque()
        let result = unsafe pthread_create(
            &handle, nil,
            { context in
                if let context = unsafe context {
                    unsafe Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().run()
                }
                return nil
            }, context)
        guard result == 0 else {
            unsafe Unmanaged<ThreadBody>.fromOpaque(context).release()
            throw SystemError(result, "pthread_create")
        }
    }

    /// Waits for the thread's end. May be called once.
    public func join() {
        precondition(!isJoined, "a thread is joined once")
        isJoined = true
        pthread_join(handle, nil)
    }
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) {
        self.run = run
    }
}

/// A mutex and a condition, at an address that stays.
@safe private final class Monitor: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe condition.initialize(to: pthread_cond_t())
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(condition, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    func locked<Result>(_ body: () -> Result) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return body()
    }

    func waitForSignal() {
        unsafe pthread_cond_wait(condition, mutex)
    }

    func signal() {
        unsafe pthread_cond_signal(condition)
    }
}

/// A queue between any number of producers and one consumer thread that sleeps while it is empty.
public final class HandoverQueue<Element: Sendable>: @unchecked Sendable {
    private let monitor = Monitor()
    private var elements: [Element] = []
    private var isClosed = false

    /// An empty queue.
    public init() {}

    /// Adds an element; false when the queue is closed.
    public func push(_ element: Element) -> Bool {
        monitor.locked {
            guard !isClosed else { return false }
            elements.append(element)
            monitor.signal()
            return true
        }
    }

    /// Waits until there are elements and takes up to `limit` of them, oldest first; an empty
    /// answer means that the queue is closed and everything in it was taken.
    public func take(upTo limit: Int) -> [Element] {
        monitor.locked {
            while elements.isEmpty && !isClosed {
                monitor.waitForSignal()
            }
            let taken = Array(elements.prefix(limit))
            elements.removeFirst(taken.count)
            return taken
        }
    }

    /// Refuses further elements and lets the consumer finish.
    public func close() {
        monitor.locked {
            isClosed = true
            monitor.signal()
        }
    }
}

/// A value that one thread sets once and another waits for.
public final class Promise<Value: Sendable>: @unchecked Sendable {
    private let monitor = Monitor()
    private var value: Value?

    /// A promise not yet kept.
    public init() {}

    /// Sets the value and wakes the waiting thread.
    public func fulfil(_ value: Value) {
        monitor.locked {
            self.value = value
            monitor.signal()
        }
    }

    /// Whether the value is there.
    public var isFulfilled: Bool { monitor.locked { value != nil } }

    /// Blocks this thread until the value is there. Not for use in asynchronous code.
    public func wait() -> Value {
        while true {
            let arrived: Value? = monitor.locked {
                if value == nil { monitor.waitForSignal() }
                return value
            }
            if let arrived { return arrived }
        }
    }
}
