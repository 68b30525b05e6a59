using System.Text.Json;
using System.Text.Unicode;
using Parquet.Data;
using Parquet.Schema;
using Quilt.Formats;
using Quilt.Formats.Chat.Jinja;

namespace Quilt.Quantizer.Calibration;

/// <summary>A column of values with their levels, gone through from the start. Only the values that are there are stored.</summary>
internal abstract class ParquetColumn(DataField leaf, RawColumnData data) : IDisposable
{
    private readonly int[] definitions = leaf.MaxDefinitionLevel > 0 ? data.DefinitionLevels.ToArray() : [];
    private readonly int[] repetitions = leaf.MaxRepetitionLevel > 0 ? data.RepetitionLevels.ToArray() : [];
    private int place;
    private int value;

    /// <summary>The definition level of what comes next.</summary>
    public int Definition => leaf.MaxDefinitionLevel == 0 ? 0 : place < definitions.Length ? definitions[place] : throw Ended();

    /// <summary>The repetition level of what comes next; −1 at the end.</summary>
    public int Repetition => leaf.MaxRepetitionLevel == 0 ? 0 : place < repetitions.Length ? repetitions[place] : -1;

    /// <summary>Writes what comes next: a value, or null.</summary>
    public void Write(Utf8JsonWriter json)
    {
        if (Definition < leaf.MaxDefinitionLevel) json.WriteNullValue();
        else Write(json, value++);
        place++;
    }

    /// <summary>Goes over a place where there is none.</summary>
    public void Skip() => place++;

    /// <inheritdoc/>
    public void Dispose() => data.Dispose();

    /// <summary>A column of whatever type.</summary>
    /// <exception cref="NotSupportedException">JSON has nothing for the type.</exception>
    public static ParquetColumn Of(string file, DataField leaf, RawColumnData data) => data switch
    {
        RawColumnData<ReadOnlyMemory<char>> d => new Typed<ReadOnlyMemory<char>>(leaf, d, (json, v) => json.WriteStringValue(v.Span)),
        RawColumnData<ReadOnlyMemory<byte>> d => new Typed<ReadOnlyMemory<byte>>(leaf, d, (json, v) => json.WriteStringValue(Utf8.IsValid(v.Span)
            ? v.Span
            : throw new BadInputException(file, leaf.Path.ToString(), "expected text, found bytes that are not UTF-8"))),
        RawColumnData<bool> d => new Typed<bool>(leaf, d, (json, v) => json.WriteBooleanValue(v)),
        RawColumnData<sbyte> d => new Typed<sbyte>(leaf, d, (json, v) => json.WriteNumberValue((int)v)),
        RawColumnData<byte> d => new Typed<byte>(leaf, d, (json, v) => json.WriteNumberValue((int)v)),
        RawColumnData<short> d => new Typed<short>(leaf, d, (json, v) => json.WriteNumberValue((int)v)),
        RawColumnData<ushort> d => new Typed<ushort>(leaf, d, (json, v) => json.WriteNumberValue((int)v)),
        RawColumnData<int> d => new Typed<int>(leaf, d, (json, v) => json.WriteNumberValue(v)),
        RawColumnData<uint> d => new Typed<uint>(leaf, d, (json, v) => json.WriteNumberValue(v)),
        RawColumnData<long> d => new Typed<long>(leaf, d, (json, v) => json.WriteNumberValue(v)),
        RawColumnData<ulong> d => new Typed<ulong>(leaf, d, (json, v) => json.WriteNumberValue(v)),
        RawColumnData<float> d => new Typed<float>(leaf, d, (json, v) => WriteReal(json, v)),
        RawColumnData<double> d => new Typed<double>(leaf, d, WriteReal),
        RawColumnData<decimal> d => new Typed<decimal>(leaf, d, (json, v) => json.WriteNumberValue(v)),
        RawColumnData<DateTime> d => new Typed<DateTime>(leaf, d, (json, v) => json.WriteStringValue(v)),
        RawColumnData<Guid> d => new Typed<Guid>(leaf, d, (json, v) => json.WriteStringValue(v)),
        _ => throw new NotSupportedException($"the column {leaf.Path} is of the type {leaf.ClrType.Name}, which is not supported"),
    };

    /// <summary>Writes the value at a place among those that are there.</summary>
    protected abstract void Write(Utf8JsonWriter json, int at);

    // A whole float has its point, as Python prints one.
    private static void WriteReal(Utf8JsonWriter json, double value)
    {
        if (!double.IsFinite(value)) throw new NotSupportedException($"the number {Floats.Repr(value)} is not supported");
        json.WriteRawValue(Floats.Repr(value));
    }

    private static InvalidOperationException Ended() => new("a column ended early");

    private sealed class Typed<T>(DataField leaf, RawColumnData<T> data, Action<Utf8JsonWriter, T> write) : ParquetColumn(leaf, data)
        where T : struct
    {
        protected override void Write(Utf8JsonWriter json, int at) => write(json, data.Values[at]);
    }
}
