using System.Diagnostics;
using Microsoft.Extensions.ObjectPool;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Kv.Tiers;
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
    private readonly PromptPace pace;
    private readonly EngineReports reports;
    private readonly KvTiers? tiers;
    private readonly PrefixLoads? loads;
    private readonly TierOffers? offers;
    private readonly List<Request> live = [];
    private readonly List<Request> ended = [];
    private readonly ObjectPool<Request> requests = new DefaultObjectPoolProvider().Create<Request>();
    private volatile Exception? failure;
    private volatile bool closed;
    private volatile bool anyCancelled;
    private long nextDeadline = long.MaxValue;
    private int held;                                        // requests between door and end

    /// <summary>A core that owns <paramref name="executor"/> and starts at once.</summary>
    /// <param name="executor">Runs steps.</param>
    /// <param name="options">The bounds.</param>
    /// <param name="tiers">What is behind the cache, owned too; null: nothing.</param>
    public EngineCore(Executor executor, EngineOptions options, KvTiers? tiers = null)
    {
        (this.executor, this.options, this.tiers) = (executor, options, tiers);
        var layout = executor.Cache.Layout;
        Blocks = new KvBlockPool(layout.Blocks, layout.BlockTokens);
        if (tiers is not null) (loads, offers) = (new(Blocks, tiers.MayHold, tiers.Load), new(Blocks, tiers.TryOffer));
        Scheduler = new Scheduler(Blocks, new SchedulerOptions
        {
            MaxBatchedTokens = options.BatchedTokens,
            MaxSequences = options.MaxSequences,
            MaxLogitRows = options.MaxSequences,
            MaxPartialPrompts = options.MaxPartialPrompts,
            MaxLongPartialPrompts = options.MaxLongPartialPrompts,
            LongPromptTokens = options.LongPromptTokens,
            ByPriority = options.Scheduling == SchedulingPolicy.Priority,
            PriorityAging = options.PriorityAging,
            WatermarkBlocks = (int)(options.Watermark * layout.Blocks),
            PrefixCaching = options.PrefixCaching,
        }, loads, offers);
        pace = new PromptPace(options.StepTime ?? TimeSpan.FromMilliseconds(executor.Device is CpuDevice ? 200 : 0), options.BatchedTokens);
        reports = new EngineReports(Scheduler, Blocks, options.Observer);
        loop = new EngineLoop(Step, Fail);
        loop.Start();
        // Once the loop has ended nobody waits for what they bring.
        tiers?.Start(load => loop.TryPost(() => loads!.Finish(load)), () => loop.TryPost(offers!.Send));
    }

    /// <summary>Whether it was disposed of.</summary>
    public bool IsClosed => closed;

    /// <summary>What ended the engine; null while it works.</summary>
    public Exception? Failure => failure;

    /// <summary>What runs and what waits; read it while nothing runs.</summary>
    public Scheduler Scheduler { get; }

    /// <summary>The cache's blocks; read it while nothing runs.</summary>
    public KvBlockPool Blocks { get; }

    /// <summary>Blocks that are not yet written to the tiers; read it while nothing runs.</summary>
    public int Unwritten => (offers?.Count ?? 0) + (tiers?.Unwritten ?? 0);

    /// <summary>What those outside may see at any time.</summary>
    public EngineReports Reports => reports;

    /// <summary>Looks after cancelled requests without waiting for the next step.</summary>
    public void Wake()
    {
        anyCancelled = true;
        loop.TryPost(static () => { });
    }

    /// <summary>Lets requests in, all or none: they will be heard of through their <see cref="Generation"/>. From any thread.</summary>
    /// <exception cref="EngineBusyException">There are as many as there may be.</exception>
    /// <exception cref="EngineFailedException">The engine failed before.</exception>
    /// <exception cref="ObjectDisposedException">The engine was disposed of.</exception>
    public void Submit(params (Generation Generation, RequestTerms Terms)[] some)
    {
        if (Interlocked.Add(ref held, some.Length) > (long)options.MaxSequences + options.MaxWaiting)
        {
            Interlocked.Add(ref held, -some.Length);
            throw new EngineBusyException(options.MaxSequences, options.MaxWaiting);
        }
        try
        {
            var begun = new Request[some.Length];
            for (var i = 0; i < some.Length; i++)
            {
                begun[i] = requests.Get();
                begun[i].Begin(some[i].Generation, some[i].Terms);
                // Hashing is the caller's time, not the engine's.
                if (options.PrefixCaching) begun[i].Sequence.Hash((some[i].Generation.PromptIds.Count - 1) / Blocks.BlockTokens, Blocks.BlockTokens);
            }
            Post(() =>
            {
                foreach (var request in begun) Admit(request);
            });
        }
        catch
        {
            foreach (var (generation, _) in some) generation.Finish(new GenerationEnd(FinishReason.Cancelled, generation.Stats));
            Interlocked.Add(ref held, -some.Length);
            throw;
        }
    }

    /// <summary>Runs one prompt on its own, in a cache of its own, and returns the numbers inside.</summary>
    public Task<StepTrace> TraceAsync(IReadOnlyList<int> tokens, bool layers) => Ask(() =>
    {
        if (failure is { } cause) throw new EngineFailedException(cause);
        return PromptTracer.Run(executor, tokens, layers, options.BatchedTokens, options.KvType ?? KvType.Float32);
    });

    /// <summary>Forgets what is cached (<see cref="Scheduler.TryForgetPrefixes"/>), and what this process' tiers have.</summary>
    public Task<bool> TryForgetPrefixesAsync(bool restartRunning, bool withTiers = true) => Ask(() =>
    {
        if (!Scheduler.TryForgetPrefixes(restartRunning)) return false;
        if (withTiers) tiers?.Forget();
        return true;
    });

    /// <summary>
    /// The hashes that the prefix cache has; what becomes of them later goes to <paramref name="changed"/>, on the engine's thread.
    /// </summary>
    public Task<BlockHash[]> WatchBlocksAsync(Action<BlockHash, bool>? changed) => Ask(() =>
    {
        Blocks.Prefixes.Changed = changed;
        return Blocks.Prefixes.Hashes.ToArray();
    });

    /// <summary>Ends all requests and the thread. One caller at a time.</summary>
    public void Dispose()
    {
        if (closed) return;
        closed = true;
        loop.Dispose();
        while (live.Count > 0) Leave(live[^1], FinishReason.Cancelled);
        // They may be filling blocks of the cache.
        tiers?.Dispose();
        executor.Dispose();
    }

    /// <summary>The whole loop body. False if there is nothing to do.</summary>
    private bool Step()
    {
        EndCancelled();
        EndLate();
        if (!Scheduler.TryPlan(out var plan, pace.Tokens(Scheduler.IsDecoding)))
        {
            reports.Idle();
            return false;
        }
        var start = Stopwatch.GetTimestamp();
        StartNew(plan);
        executor.Run(plan);
        Score(plan);
        executor.Choose(plan);
        var (prompts, replies, chosen) = Count(plan);
        Commit(plan);
        offers?.Send();
        var time = Stopwatch.GetElapsedTime(start);
        pace.Observe(prompts, replies, time);
        reports.StepEnded(prompts, replies, chosen, time);
        return true;
    }

    private void StartNew(StepPlan plan)
    {
        foreach (var chunk in plan.Chunks)
        {
            if (chunk.Start == chunk.Sequence.Cached && chunk.Sequence.Request!.Start()) reports.Started(chunk.Sequence.Request.Generation);
        }
    }

    private static (int Prompts, int Replies, int Chosen) Count(StepPlan plan)
    {
        var (replies, chosen) = (0, 0);
        foreach (var chunk in plan.Chunks)
        {
            if (chunk.LogitRow >= 0) chosen++;
            if (chunk.LogitRow >= 0 && chunk.Count == 1 && chunk.Start >= chunk.Sequence.PromptLength) replies++;
        }
        return (plan.Tokens.Length - replies, replies, chosen);
    }

    /// <summary>Every sequence that has its logits gets its next token; those that are done end.</summary>
    private void Commit(StepPlan plan)
    {
        foreach (var chunk in plan.Chunks)
        {
            if (chunk.LogitRow >= 0 && chunk.Sequence.Request is { Finished: null }) Advance(chunk);
            if (chunk.Sequence.Request is { Finished: not null } done) ended.Add(done);
        }
        Scheduler.Return(plan);
        foreach (var request in ended) End(request, request.Finished!.Value);
        ended.Clear();
    }

    // Before tokens are chosen: that changes their rows.
    private void Score(StepPlan plan)
    {
        foreach (var chunk in plan.Chunks)
        {
            if (!chunk.Sequence.WantsPromptLogits) continue;
            var request = chunk.Sequence.Request!;
            for (var i = 0; i < chunk.Rows && request.Finished is null; i++)
            {
                var row = executor.Row(chunk.FirstLogitRow + i);
                var position = chunk.Start + chunk.Count - chunk.Rows + i;
                try
                {
                    request.Score(position, row);
                }
                catch (Exception thrown) when (GpuDevices.Explain(thrown) is null)
                {
                    request.Fail(new RequestFailedException(thrown));
                }
            }
        }
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

    private void EndCancelled()
    {
        if (!anyCancelled) return;
        anyCancelled = false;
        for (var i = live.Count - 1; i >= 0; i--)
        {
            if (live[i].Generation.IsCancelled) End(live[i], FinishReason.Cancelled);
        }
    }

    private void EndLate()
    {
        if (nextDeadline == long.MaxValue || Stopwatch.GetTimestamp() is var now && now < nextDeadline) return;
        nextDeadline = long.MaxValue;
        for (var i = live.Count - 1; i >= 0; i--)
        {
            var request = live[i];
            if (request.TimeIsUpAt <= now) End(request, FinishReason.Timeout);
            else nextDeadline = Math.Min(nextDeadline, request.TimeIsUpAt);
        }
    }

    private void Admit(Request request)
    {
        live.Add(request);
        if (failure is { } cause)
        {
            Leave(request, FinishReason.Error, new EngineFailedException(cause));
            return;
        }
        nextDeadline = Math.Min(nextDeadline, request.TimeIsUpAt);
        // It may have been given up before it was here to be found.
        anyCancelled |= request.Generation.IsCancelled;
        Scheduler.Submit(request.Sequence);
        reports.Submitted(request.Generation);
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
        reports.Ended(request.Generation);
        requests.Return(request);
        Interlocked.Decrement(ref held);
    }

    // The step broke off anywhere: nothing is known of the scheduler's books, and nobody will look into them again.
    private void Fail(Exception cause)
    {
        failure = cause;
        while (live.Count > 0) Leave(live[^1], FinishReason.Error, new EngineFailedException(cause));
    }

    private Task<T> Ask<T>(Func<T> question)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            try
            {
                answer.SetResult(question());
            }
#pragma warning disable CA1031 // The caller waits for this task, whatever happened.
            catch (Exception thrown)
#pragma warning restore CA1031
            {
                answer.SetException(thrown);
            }
        });
        return answer.Task;
    }

    private void Post(Action action)
    {
        ObjectDisposedException.ThrowIf(closed, typeof(Engine));
        if (failure is { } cause) throw new EngineFailedException(cause);
        ObjectDisposedException.ThrowIf(!loop.TryPost(action), typeof(Engine));
    }
}
