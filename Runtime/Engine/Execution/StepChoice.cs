using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime.Sampling;
using Quilt.Runtime.Scheduling;

namespace Quilt.Runtime.Execution;

/// <summary>
/// Chooses the next tokens of a step's sequences, rows dealt to the threads of a pool. Each row has a request's own state, so that the choice is the
/// same on whichever thread; what one of them throws stays with its row.
/// </summary>
internal sealed class StepChoice
{
    private readonly WorkPool pool;
    private readonly Sampler[] samplers;
    private Result[] results = [];
    private StepPlan plan = null!;
    private DeviceChoice? device;
    private Matrix logits;
    private int next;

    /// <summary>A choice on a device's threads, or on those of the host where it is a GPU.</summary>
    public StepChoice(Device device)
    {
        pool = (device as CpuDevice ?? ((GpuDevice)device).Host).Pool;
        samplers = [.. Enumerable.Range(0, pool.Threads).Select(_ => new Sampler())];
    }

    /// <summary>Chooses a token for every sequence of the step that has a row of logits, and takes note of it there.</summary>
    /// <param name="step">The step; a row is one sequence's.</param>
    /// <param name="rows">[rows, vocabulary] its logits; changed.</param>
    /// <param name="ops">The stream they came from.</param>
    /// <param name="found">What came back of them, where they lie on a GPU.</param>
    public void Run(StepPlan step, Matrix rows, OpStream ops, DeviceChoice? found)
    {
        (plan, logits, device, next) = (step, rows, found, 0);
        var count = step.LogitRows.Length;
        if (results.Length < count) results = new Result[Math.Max(count, 2 * results.Length)];
        var work = new Deal(this);
        pool.Run(Math.Min(count, samplers.Length), ref work);

        // What needs the stream again is left to its own thread.
        if (found is null) return;
        foreach (var chunk in step.Chunks)
        {
            if (chunk.LogitRow >= 0 && results[chunk.LogitRow].IsLeft) Bring(ops, chunk);
        }
    }

    /// <summary>The token that was chosen for a sequence of the step.</summary>
    /// <exception cref="Exception">What the choice threw.</exception>
    public TokenChoice Of(in SequenceChunk chunk)
    {
        ref var result = ref results[chunk.LogitRow];
        result.Error?.Throw();
        return result.Choice;
    }

    private static ReadOnlySpan<int> Output(Sequence sequence) => CollectionsMarshal.AsSpan(sequence.Tokens)[sequence.PromptLength..];

    /// <summary>Takes rows as long as there are some.</summary>
    private void Work(Sampler sampler)
    {
        var chunks = plan.Chunks;
        while (Interlocked.Increment(ref next) - 1 is var i && i < chunks.Length)
        {
            if (chunks[i].LogitRow >= 0) Choose(sampler, chunks[i]);
        }
    }

    private void Choose(Sampler sampler, in SequenceChunk chunk)
    {
        ref var result = ref results[chunk.LogitRow];
        result = default;
        var state = chunk.Sequence.Sampling!;
        try
        {
            if (device is null) result.Choice = sampler.Sample(logits.Row(chunk.LogitRow), state, Output(chunk.Sequence));
            else result.IsLeft = !device.TrySample(sampler, chunk.LogitRow, state, Output(chunk.Sequence), out result.Choice);
        }
#pragma warning disable CA1031 // Whatever a row throws is its request's affair; it is thrown again where that is asked for its token.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            result.Error = ExceptionDispatchInfo.Capture(thrown);
        }
    }

    private void Bring(OpStream ops, in SequenceChunk chunk)
    {
        ref var result = ref results[chunk.LogitRow];
        try
        {
            result.Choice = device!.SampleWhole(ops, samplers[0], chunk.LogitRow, chunk.Sequence.Sampling!, Output(chunk.Sequence));
        }
#pragma warning disable CA1031 // As above.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            result.Error = ExceptionDispatchInfo.Capture(thrown);
        }
    }

    private struct Result
    {
        public TokenChoice Choice;
        public ExceptionDispatchInfo? Error;

        /// <summary>The row has to be brought whole.</summary>
        public bool IsLeft;
    }

    private readonly struct Deal(StepChoice choice) : IJob
    {
        public void Execute(int item) => choice.Work(choice.samplers[item]);
    }
}
