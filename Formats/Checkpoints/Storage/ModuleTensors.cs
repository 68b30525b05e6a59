using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints.Storage;

/// <summary>The tensors of one module by their suffixes, what the architecture expects of them, and what the config says.</summary>
internal sealed class ModuleTensors(TensorTable table, string name, int rows, int columns, QuantConfig config, string folder, WarningList warnings)
{
    /// <summary>Official path, without suffix.</summary>
    public string Name => name;

    /// <summary>Outputs the architecture expects.</summary>
    public int Rows => rows;

    /// <summary>Inputs the architecture expects.</summary>
    public int Columns => columns;

    /// <summary>All tensors of the checkpoint.</summary>
    public TensorTable Table => table;

    /// <summary>What quantization_config says in general.</summary>
    public QuantConfig Config => config;

    /// <summary>What it says of this module; null if nothing.</summary>
    public QuantArgs? Told { get; } = config.HasTargets ? config.Find(TensorNames.Spellings(name)) : null;

    /// <summary>Whether it describes modules and leaves this one alone.</summary>
    public bool LeftAlone => config.HasTargets && Told is null;

    /// <summary>A tensor by its suffix; null where there is none.</summary>
    public TensorEntry? Find(string suffix) => table.Find(Full(suffix));

    /// <summary>A tensor's full official name, for one that is not there.</summary>
    public string Full(string suffix) => $"{name}.{suffix}";

    /// <summary>A complaint about a tensor that is not there.</summary>
    public BadInputException Missing(string suffix, string problem) => new(folder, Full(suffix), problem);

    /// <summary>Warns of a tensor.</summary>
    public void Warn(TensorEntry about, string problem) => warnings.Add(about.Label, problem);

    /// <summary>Refuses a tensor that is not [rows, columns].</summary>
    public void CheckShape(TensorEntry weight)
    {
        if (weight.Shape.Length != 2 || weight.Shape[0] != rows || weight.Shape[1] != columns)
            throw Bad(weight, $"expected shape [{rows}, {columns}], found {weight.ShapeText}");
    }

    /// <summary>A complaint about a tensor.</summary>
    public static BadInputException Bad(TensorEntry tensor, string problem) => new(tensor.File, tensor.Label, problem);
}
