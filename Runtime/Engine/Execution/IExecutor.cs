using Quilt.Kernels.Devices;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;
using Quilt.Runtime.Scheduling;

namespace Quilt.Runtime.Execution;

/// <summary>
/// Runs steps: a plan goes in, tokens or rows of logits come out. On one device (<see cref="Executor"/>) or on several that hold a part of every
/// layer each (<see cref="ParallelExecutor"/>). Used by one thread.
/// </summary>
internal interface IExecutor : IDisposable
{
    /// <summary>What the decoder is, all of it.</summary>
    DecoderSpec Spec { get; }

    /// <summary>Where it runs; of several devices the first.</summary>
    Device Device { get; }

    /// <summary>The keys and values of all sequences; of several devices the first one's, with the others' beside it.</summary>
    KvStore Cache { get; }

    /// <summary>Distinct experts that the last step read, summed over layers; 0 on a GPU, which does not tell.</summary>
    int ExpertsRead { get; }

    /// <summary>Who takes the times of steps on a CPU, of several devices on the first; null: nobody.</summary>
    StepProfile? Profile { get; set; }

    /// <summary>What makes steps slower than they should be, so far.</summary>
    IEnumerable<string> Warnings { get; }

    /// <summary>Another cache for the same decoder.</summary>
    KvStore NewCache(KvLayout layout);

    /// <summary>Runs a step, whose tokens <see cref="Choose"/> then finds; each of its sequences has its own sampling.</summary>
    void Run(StepPlan plan);

    /// <summary>A row of the last step's logits, before a token is chosen from it; valid until the next call.</summary>
    ReadOnlySpan<float> Row(int row);

    /// <summary>Chooses the next tokens of all sequences that have a row of the last step's logits, and takes note of them.</summary>
    void Choose(StepPlan plan);

    /// <summary>The token that was chosen for a sequence.</summary>
    /// <exception cref="Exception">What the choice threw: its request's own affair, unless the device failed.</exception>
    TokenChoice Chosen(in SequenceChunk chunk);

    /// <summary>Runs a step and returns its logits [rows asked for, vocabulary] in the host's memory, valid until the next step.</summary>
    /// <param name="plan">The step.</param>
    /// <param name="cache">The cache it uses, of <see cref="NewCache"/>; null: the executor's own.</param>
    /// <param name="observer">Who watches; null: nobody.</param>
    Matrix Rows(StepPlan plan, KvStore? cache = null, StepObserver? observer = null);
}
