using Quilt.Runtime;

namespace Quilt.Quantizer.Quality;

/// <summary>Tells of the reading of two checkpoints as if they were one.</summary>
internal sealed class SummedProgress(IProgress<LoadProgress> whole, long bytes)
{
    private readonly long[] done = new long[2];

    /// <summary>Where the reading of one of them is told, 0 or 1.</summary>
    public IProgress<LoadProgress> Part(int index) => new Of(this, index);

    private void Report(int index, LoadProgress part)
    {
        done[index] = part.BytesDone;
        // What is read twice, such as an embedding that is the head too, is read once here.
        whole.Report(new LoadProgress(Math.Min(bytes, done.Sum()), bytes, part.What));
    }

    private sealed class Of(SummedProgress sum, int index) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value) => sum.Report(index, value);
    }
}
