using System.Runtime.CompilerServices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

internal static partial class PagedAttentionOp
{
    /// <summary>How sixteen elements of the cache become float32.</summary>
    private unsafe interface ICached
    {
        static abstract int Bytes { get; }

        /// <summary>
        /// Elements come as 1 / <see cref="Factor"/>² of their numbers: what they are multiplied with, and the sum, take one factor each, exactly.
        /// </summary>
        static abstract float Factor { get; }

        /// <summary>Whether each row has a scale, as <see cref="Fp8Row"/> says.</summary>
        static abstract bool HasScales { get; }

        static abstract T Load<T>(byte* from) where T : unmanaged, IVector16<T>;
    }

    private readonly unsafe struct Float32 : ICached
    {
        public static int Bytes => sizeof(float);

        public static float Factor => 1;

        public static bool HasScales => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Load<T>(byte* from) where T : unmanaged, IVector16<T> => T.Load((float*)from);
    }

    private readonly unsafe struct BFloat : ICached
    {
        public static int Bytes => sizeof(ushort);

        public static float Factor => 1;

        public static bool HasScales => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Load<T>(byte* from) where T : unmanaged, IVector16<T> => T.LoadBFloat16((ushort*)from);
    }

    private readonly unsafe struct Float8 : ICached
    {
        public static int Bytes => 1;

        public static float Factor => 1L << 60;

        public static bool HasScales => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Load<T>(byte* from) where T : unmanaged, IVector16<T> => T.LoadFloat8(from);
    }
}
