using Quilt.Kernels.Devices;

namespace Quilt.Runtime.Models;

/// <summary>A device and what it holds of a model.</summary>
/// <param name="Device">The device.</param>
/// <param name="Decoder">The forward pass over its weights.</param>
/// <param name="Share">Which part of the model they are.</param>
internal sealed record ModelShare(Device Device, Decoder Decoder, DeviceShare Share);
