using Microsoft.Extensions.ObjectPool;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Sampling;
using Quilt.Runtime.Scheduling;

namespace Quilt.Runtime;

/// <summary>
/// What an engine does all day: requests come in, steps are planned and run, tokens go out. All of it happens on one thread, but for the door.
/// What fails in a request's own part (its options, its text, its reply) ends that request; a step that fails ends them all.
/// </summary>
internal sealed class EngineCore : IDisposable
{
    private readonly Executor executor;
    private readonly EngineOptions options;
    private readonly EngineLoop loop;
    private readonly List<Request> live = [];
    private readonly List<Request> ended = [];
    private readonly ObjectPool<Request> requests = new DefaultObjectPoolProvider().Create<Request>();
    private volatile Exception? failure;
    private volatile bool closed;
    private int held;                                        // requests between door and end

    /// <summary>A core that owns <paramref name="executor"/> and starts at once.</summary>
    public EngineCore(Executor executor, EngineOptions options)
    {
        (this.executor, this.options) = (executor, options);
        var layout = executor.Cache.Layout;
        Blocks = new KvBlockPool(layout.Blocks);
        Scheduler = new Scheduler(Blocks, layout.BlockTokens, options.StepTokens, options.MaxSequences);
        loop = new EngineLoop(Step, Fail);
        loop.Start();
    }

    /// <summary>Whether it was disposed of.</summary>
    public bool IsClosed => closed;

    /// <summary>What ended the engine; null while it works.</summary>
    public Exception? Failure => failure;

    /// <summary>What runs and what waits; read it while nothing runs.</summary>
    public Scheduler Scheduler { get; }

    /// <summary>The cache's blocks; read it while nothing runs.</summary>
    public KvBlockPool Blocks { get; }

    /// <summary>Looks after cancelled requests without waiting for the next step.</summary>
    public void Wake() => loop.TryPost(static () => { });

    /// <summary>Lets a request in: it will be heard of through its <see cref="Generation"/>. From any thread.</summary>
    /// <exception cref="EngineBusyException">There are as many as there may be.</exception>
    /// <exception cref="EngineFailedException">The engine failed before.</exception>
    /// <exception cref="ObjectDisposedException">The engine was disposed of.</exception>
    public void Submit(Generation generation, SamplingOptions sampling, IReadOnlyCollection<int> endTokens, int room, ReplyDecoder reply)
    {
        if (Interlocked.Increment(ref held) > (long)options.MaxSequences + options.MaxWaiting)
        {
            Interlocked.Decrement(ref held);
            throw new EngineBusyException(options.MaxSequences, options.MaxWaiting);
        }
        try
        {
            var request = requests.Get();
            request.Begin(generation, sampling, endTokens, room, reply);
            Post(() => Admit(request));
        }
        catch
        {
            generation.Finish(new GenerationEnd(FinishReason.Cancelled, generation.Stats));
            Interlocked.Decrement(ref held);
            throw;
        }
    }

    /// <summary>Runs one prompt on its own, in a cache of its own, and returns the numbers inside.</summary>
    public Task<StepTrace> TraceAsync(IReadOnlyList<int> tokens, bool layers)
    {
        var result = new TaskCompletionSource<StepTrace>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            try
            {
                if (failure is { } cause) throw new EngineFailedException(cause);
                result.SetResult(PromptTracer.Run(executor, tokens, layers, options.StepTokens, options.KvType ?? KvType.Float32));
            }
#pragma warning disable CA1031 // The caller waits for this task, whatever happened.
            catch (Exception thrown)
#pragma warning restore CA1031
            {
                result.SetException(thrown);
            }
        });
        return result.Task;
    }

    /// <summary>Ends all requests and the thread. One caller at a time.</summary>
    public void Dispose()
    {
        if (closed) return;
        closed = true;
        loop.Dispose();
        while (live.Count > 0) Leave(live[^1], FinishReason.Cancelled);
        executor.Dispose();
    }

    /// <summary>The whole loop body. False if there is nothing to do.</summary>
    private bool Step()
    {
        DropCancelled();
        if (!Scheduler.TryPlan(out var plan)) return false;
        executor.Run(plan);
        executor.Choose(plan);
        Commit(plan);
        return true;
    }

    /// <summary>Every sequence that has its logits gets its next token; those that are done end.</summary>
    private void Commit(StepPlan plan)
    {
        foreach (var chunk in plan.Chunks)
        {
            if (chunk.LogitRow < 0) continue;
            Advance(chunk);
            if (chunk.Sequence.Request is { Finished: not null } done) ended.Add(done);
        }
        Scheduler.Return(plan);
        foreach (var request in ended) End(request, request.Finished!.Value);
        ended.Clear();
    }

    private void Advance(in SequenceChunk chunk)
    {
        var request = chunk.Sequence.Request!;
        try
        {
            request.Accept(executor.Chosen(chunk));
        }
        // What a device has to say is everybody's affair.
        catch (Exception thrown) when (GpuDevices.Explain(thrown) is null)
        {
            request.Fail(new RequestFailedException(thrown));
        }
    }

    private void DropCancelled()
    {
        for (var i = live.Count - 1; i >= 0; i--)
        {
            if (live[i].Generation.IsCancelled) End(live[i], FinishReason.Cancelled);
        }
    }

    private void Admit(Request request)
    {
        live.Add(request);
        if (failure is { } cause) Leave(request, FinishReason.Error, new EngineFailedException(cause));
        else Scheduler.Submit(request.Sequence);
    }

    private void End(Request request, FinishReason reason)
    {
        Scheduler.Remove(request.Sequence);
        Leave(request, reason);
    }

    private void Leave(Request request, FinishReason reason, Exception? error = null)
    {
        live.Remove(request);
        request.Finish(reason, error);
        requests.Return(request);
        Interlocked.Decrement(ref held);
    }

    // The step broke off anywhere: nothing is known of the scheduler's books, and nobody will look into them again.
    private void Fail(Exception cause)
    {
        failure = cause;
        while (live.Count > 0) Leave(live[^1], FinishReason.Error, new EngineFailedException(cause));
    }

    private void Post(Action action)
    {
        ObjectDisposedException.ThrowIf(closed, typeof(Engine));
        if (failure is { } cause) throw new EngineFailedException(cause);
        ObjectDisposedException.ThrowIf(!loop.TryPost(action), typeof(Engine));
    }
}
