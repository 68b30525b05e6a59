using System.Diagnostics;

namespace Quilt.Kernels.Devices;

/// <summary>
/// A view of an activation [rows, columns] of float32, rows one after another, in the memory of the host or of a GPU. Owns nothing: the
/// <see cref="OpStream"/> it came from does.
/// </summary>
internal readonly unsafe struct Matrix(float* data, int rows, int columns)
{
    /// <summary>First element of row 0; on a GPU a number that only its stream understands (<see cref="GpuScratch"/>).</summary>
    public float* Data { get; } = data;

    /// <summary>Whether the numbers lie in a GPU's memory, out of the host's reach.</summary>
    public bool IsOnDevice => (long)Data < 0;

    /// <summary>Number of rows: tokens, or (token, expert) pairs.</summary>
    public int Rows { get; } = rows;

    /// <summary>Values in a row.</summary>
    public int Columns { get; } = columns;

    /// <summary>All values, row after row.</summary>
    /// <exception cref="InvalidOperationException">They lie on a GPU.</exception>
    public Span<float> Values
    {
        get
        {
            if (IsOnDevice) ThrowOnDevice();
            return new Span<float>(Data, checked(Rows * Columns));
        }
    }

    /// <summary>One row.</summary>
    public Span<float> Row(int row)
    {
        Debug.Assert((uint)row < (uint)Rows, "row outside the matrix");
        if (IsOnDevice) ThrowOnDevice();
        return new Span<float>(Data + ((long)row * Columns), Columns);
    }

    /// <summary>First element of a row.</summary>
    /// <exception cref="InvalidOperationException">The numbers lie on a GPU.</exception>
    public float* RowData(int row)
    {
        Debug.Assert((uint)row < (uint)Rows, "row outside the matrix");
        if (IsOnDevice) ThrowOnDevice();
        return Data + ((long)row * Columns);
    }

    /// <summary>The same values with every row cut into <paramref name="parts"/> rows of one length, e.g. one a head.</summary>
    public Matrix Cut(int parts)
    {
        Debug.Assert(Columns % parts == 0, "a row cannot be cut into equal parts");
        return new Matrix(Data, Rows * parts, Columns / parts);
    }

    /// <summary>Values from the <paramref name="first"/> on as a matrix of another shape.</summary>
    public Matrix Part(long first, int rows, int columns)
    {
        Debug.Assert(first + ((long)rows * columns) <= (long)Rows * Columns, "a part outside the matrix");
        return new Matrix(Data + first, rows, columns);
    }

    /// <summary>The rows from <paramref name="first"/> on, <paramref name="count"/> of them.</summary>
    public Matrix Slice(int first, int count) => new(Data + ((long)first * Columns), count, Columns);

    // The address would not fault but read elsewhere, or kill the process: one comparison a row is cheap against that.
    private static void ThrowOnDevice() => throw new InvalidOperationException("The matrix lies on a GPU; OpStream.ToHost copies it.");
}
