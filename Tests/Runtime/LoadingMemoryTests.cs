using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Tests.Kernels;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime;

/// <summary>
/// Weights pass through the host's memory on their way to a GPU: one stack of matrices at a time, and nothing of it stays. Every buffer that holds
/// weights, what is read of a file, or a batch on its way counts in <see cref="NativeBuffer.Held"/>.
/// </summary>
[NonParallelizable]
public sealed class LoadingMemoryTests
{
    [Test]
    public void What_the_host_holds_while_a_GPU_is_loaded_does_not_grow_with_the_number_of_layers()
    {
        var device = Target.Gpus[0].Open();
        var (few, many) = (Load(device, layers: 2), Load(device, layers: 24));

        Assert.That(many.Weights, Is.GreaterThan(5 * few.Weights), "the second model is larger by far");
        Assert.That(many.Most - many.Vectors, Is.EqualTo(few.Most - few.Vectors), "beside the gains of norms, the only part that stays");
        Assert.That(many.Most, Is.LessThan(many.Weights / 5));
    }

    [TestCase(2)]
    [TestCase(24)]
    public void It_is_what_was_planned_and_after_loading_only_vectors_are_left(int layers)
    {
        var load = Load(Target.Gpus[0].Open(), layers);

        Assert.That(load.Most, Is.GreaterThanOrEqualTo(2 * load.Largest), "a stack and its packed form");
        Assert.That(load.Most, Is.LessThanOrEqualTo(load.Planned + load.Vectors));
        Assert.That(load.After, Is.EqualTo(load.Vectors));
        Assert.That(load.End, Is.Zero);
    }

    // Shows that the count sees weights at all.
    [Test]
    public void A_processor_holds_all_of_them()
    {
        using var device = new CpuDevice(threads: 2);
        var load = Load(device, layers: 24);

        Assert.That(load.After, Is.EqualTo(load.Weights));
        Assert.That(load.Most, Is.GreaterThanOrEqualTo(load.Weights));
        Assert.That(load.End, Is.Zero);
    }

    private static Loaded Load(Device device, int layers)
    {
        using var folder = new TinyFolder(layers: layers);
        // What other tests left to the finalizers must not go in the middle of the count.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = NativeBuffer.Held;
        NativeBuffer.Watch();
        long most, after, weights, vectors, largest, planned;
        using (var model = LoadedModel.Open(folder.Path, new EngineOptions { Device = device.Name, Threads = 2, KvMemory = 1 << 20 }, null, default,
            on: device))
        {
            (most, after) = (NativeBuffer.MostHeld - before, NativeBuffer.Held - before);
            var modules = new DecoderModules(model.Decoder.Spec);
            vectors = sizeof(float) * (modules.FinalNorm.Length + modules.Layers.Sum(layer => layer.Vectors.Sum(vector => (long)vector.Length)));
            (weights, planned) = (model.Decoder.Weights.Bytes, model.Memory.Host);
            largest = 2L * modules.Embedding.Rows * modules.Embedding.Columns;
        }
        return new(most, after, NativeBuffer.Held - before, weights, vectors, largest, planned);
    }

    /// <summary>
    /// Bytes: most held at once while loading, held after it, and after all was given back; of all weights, of the vectors among them, of the largest
    /// matrix, as planned.
    /// </summary>
    private sealed record Loaded(long Most, long After, long End, long Weights, long Vectors, long Largest, long Planned);
}
