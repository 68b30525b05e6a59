using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;
using Quilt.Runtime.Models;
using Quilt.Tests.Kernels;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime.Models;

/// <summary>What the host holds while a checkpoint goes to a GPU: one stack of weights at a time, however many there are. Counted for the whole process, so that nothing may run beside it.</summary>
[NonParallelizable]
public sealed class LoadMemoryTests
{
    [Test]
    public void The_host_holds_one_stack_at_a_time_however_many_layers_there_are()
    {
        var (few, many) = (Load(layers: 2), Load(layers: 12));
        Assert.That(many.Most, Is.EqualTo(few.Most), "beside what stays");
        Assert.That(many.Stays, Is.LessThan(many.Weights / 10), "norms and router biases alone stay with the host");

        // The tiles of the largest stack, and the batches that it goes in: two in turn, each no larger than the stack.
        Assert.That(few.Most, Is.InRange(few.LargestStack, 4 * few.LargestStack));
    }

    /// <summary>MiniMax-M2.5 in its three forms: 256 experts of [1536, 3072] a stack, an embedding of [200064, 3072].</summary>
    [Test]
    public void For_MiniMax_M2_5_that_is_less_than_two_gigabytes()
    {
        const long Experts = 256, Rows = 1536, Columns = 3072, Vocabulary = 200_064;
        long[] stacks = [Experts * Rows * Columns * 9 / 16, Experts * Rows * (Columns + (4 * Columns / 128)), Vocabulary * Columns * 2];
        Assert.That(stacks.Max() + (2 * (PackedBatch.MostBytes + (PackedBatch.MostBytes / 2))), Is.LessThan(2_000_000_000));
    }

    private static (long Most, long Stays, long LargestStack, long Weights) Load(int layers)
    {
        using var folder = new TinyFolder(layers: layers);
        var device = (GpuDevice)Target.Gpus[0].Open();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        using var checkpoint = Checkpoint.Open(folder.Path);
        var spec = Architectures.Describe(checkpoint.Config, folder.Path);
        var parts = new CheckpointParts(checkpoint, device, progress: null, CancellationToken.None);
        var largest = new DecoderModules(spec).Layers.Max(layer => parts.Bytes([.. Enumerable.Range(0, spec.Experts!.Experts).Select(layer.Experts!.Gate)]));
        var before = NativeBuffer.Held;
        NativeBuffer.Watch();
        using var weights = DecoderWeights.Load(spec, parts);
        var stays = NativeBuffer.Held - before;
        return (NativeBuffer.MostHeld - before - stays, stays, Math.Max(largest, 300 * TinyMiniMax.Hidden * 2), weights.Bytes);
    }
}
