using Quilt.Kernels.Devices;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Tests.Kernels;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime.Models;

public sealed class SlowWeightsTests
{
    [Test]
    public void What_matrix_instructions_cannot_multiply_is_told()
    {
        // The ways back have 160 and 32 inputs, in both layers.
        using var folder = new TinyFolder();
        using var tensor = GpuDevices.Emulate(2, tensorCores: true);
        using var model = LoadedModel.Open(folder.Path, new EngineOptions(), null, default, on: tensor);
        Assert.That(model.Warnings, Has.Exactly(1).Contains("are multiplied without matrix instructions").And.Exactly(1).Contains("self_attn.o_proj (fp8 128x128, 160 columns) and 3 more"));
    }

    [Test]
    public void Where_there_are_none_nothing_is_told()
    {
        using var folder = new TinyFolder();
        using var model = LoadedModel.Open(folder.Path, new EngineOptions(), null, default, on: Target.Gpus[0].Open());
        Assert.That(model.Warnings, Has.None.Contains("matrix instructions"));
    }
}
