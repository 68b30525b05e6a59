using System.Diagnostics;

namespace Quilt.Kernels.Devices;

/// <summary>A view of an activation [rows, columns] of float32, rows one after another. Owns nothing: the <see cref="OpStream"/> it came from does.</summary>
internal readonly unsafe struct Matrix(float* data, int rows, int columns)
{
    /// <summary>First element of row 0.</summary>
    public float* Data { get; } = data;

    /// <summary>Number of rows: tokens, or (token, expert) pairs.</summary>
    public int Rows { get; } = rows;

    /// <summary>Values in a row.</summary>
    public int Columns { get; } = columns;

    /// <summary>All values, row after row.</summary>
    public Span<float> Values => new(Data, checked(Rows * Columns));

    /// <summary>One row.</summary>
    public Span<float> Row(int row)
    {
        Debug.Assert((uint)row < (uint)Rows, "row outside the matrix");
        return new Span<float>(Data + ((long)row * Columns), Columns);
    }

    /// <summary>First element of a row.</summary>
    public float* RowData(int row)
    {
        Debug.Assert((uint)row < (uint)Rows, "row outside the matrix");
        return Data + ((long)row * Columns);
    }

    /// <summary>The same values with every row cut into <paramref name="parts"/> rows of one length, e.g. one a head.</summary>
    public Matrix Cut(int parts)
    {
        Debug.Assert(Columns % parts == 0, "a row cannot be cut into equal parts");
        return new Matrix(Data, Rows * parts, Columns / parts);
    }

    /// <summary>The rows from <paramref name="first"/> on, <paramref name="count"/> of them.</summary>
    public Matrix Slice(int first, int count) => new(Data + ((long)first * Columns), count, Columns);
}
