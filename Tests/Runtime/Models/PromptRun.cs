using Quilt.Kernels.Ops;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;

namespace Quilt.Tests.Runtime.Models;

/// <summary>One prompt through a loaded model, and the numbers inside.</summary>
internal static class PromptRun
{
    public static StepTrace Trace(LoadedModel model, int[] tokens, bool layers = false, int stepTokens = 512, KvType type = KvType.Float32)
    {
        // The trace has a cache of its own.
        using var executor = new Executor(model.Decoder, model.Device, new KvLayout(1, 16, type));
        return PromptTracer.Run(executor, tokens, layers, stepTokens, type);
    }
}
