using System.Text.Json;
using Parquet.Schema;

namespace Quilt.Quantizer.Calibration;

/// <summary>
/// A field of a Parquet schema, and where its columns are in their values. Every value of a column, and every place where there is none, comes with
/// two levels: the definition level says how much of its path is there (an optional field and a repeated one count one each), the repetition level
/// at which list it goes on (0: a new row). From the field's own levels follows what the columns below it hold next.
/// </summary>
internal abstract class ParquetField(string name)
{
    /// <summary>Its name.</summary>
    public string Name { get; } = name;

    /// <summary>Its first column: all columns of a field agree on what is above them.</summary>
    public abstract ParquetColumn First { get; }

    /// <summary>Writes the next value as JSON, and moves its columns on.</summary>
    public abstract void Write(Utf8JsonWriter json);

    /// <summary>Moves the columns on over a place where there is none of this field.</summary>
    public abstract void Skip();

    /// <summary>A field with all that is below it.</summary>
    /// <param name="field">The schema's.</param>
    /// <param name="open">Reads a column.</param>
    /// <exception cref="NotSupportedException">It is a map, or of a type that JSON has nothing for.</exception>
    public static ParquetField Of(Field field, Func<DataField, ParquetColumn> open) => field switch
    {
        ListField list => new ParquetList(list, Of(list.Item, open)),
        StructField group => new ParquetStruct(group, [.. group.Fields.Select(inner => Of(inner, open))]),
        DataField { IsArray: true } array => new ParquetList(array, new ParquetLeaf(array, open(array))),
        DataField leaf => new ParquetLeaf(leaf, open(leaf)),
        _ => throw new NotSupportedException($"the column {field.Name} is a {field.SchemaType}, which is not supported"),
    };
}

/// <summary>A single value.</summary>
internal sealed class ParquetLeaf(DataField field, ParquetColumn column) : ParquetField(field.Name)
{
    public override ParquetColumn First => column;

    public override void Write(Utf8JsonWriter json) => column.Write(json);

    public override void Skip() => column.Skip();
}

/// <summary>Several fields under one name.</summary>
internal sealed class ParquetStruct(StructField field, ParquetField[] fields) : ParquetField(field.Name)
{
    public override ParquetColumn First => fields[0].First;

    public override void Write(Utf8JsonWriter json)
    {
        if (First.Definition < field.MaxDefinitionLevel)
        {
            Skip();
            json.WriteNullValue();
            return;
        }
        json.WriteStartObject();
        foreach (var inner in fields)
        {
            json.WritePropertyName(inner.Name);
            inner.Write(json);
        }
        json.WriteEndObject();
    }

    public override void Skip()
    {
        foreach (var inner in fields) inner.Skip();
    }
}

/// <summary>A list: its level counts the repeated part, so one below it there is an empty list, and two below there is none.</summary>
internal sealed class ParquetList(Field field, ParquetField item) : ParquetField(field.Name)
{
    public override ParquetColumn First => item.First;

    public override void Write(Utf8JsonWriter json)
    {
        if (First.Definition < field.MaxDefinitionLevel)
        {
            var isEmpty = First.Definition == field.MaxDefinitionLevel - 1;
            Skip();
            if (!isEmpty)
            {
                json.WriteNullValue();
                return;
            }
            json.WriteStartArray();
            json.WriteEndArray();
            return;
        }
        json.WriteStartArray();
        do item.Write(json);
        while (First.Repetition == field.MaxRepetitionLevel);
        json.WriteEndArray();
    }

    public override void Skip() => item.Skip();
}
