using System.Globalization;

namespace Mesh.DataPlane.Expressions;

/// <summary>A value of an expression. The default is <see cref="CelKind.Error"/>.</summary>
internal readonly struct CelValue
{
    private readonly long _number;
    private readonly object? _object;

    private CelValue(CelKind kind, long number, object? value) => (Kind, _number, _object) = (kind, number, value);

    public static CelValue Error => default;

    public static CelValue Null => new(CelKind.Null, 0, null);

    public CelKind Kind { get; }

    public bool IsError => Kind == CelKind.Error;

    public bool IsTrue => Kind == CelKind.Bool && _number != 0;

    public bool IsFalse => Kind == CelKind.Bool && _number == 0;

    public bool IsNumber => Kind is CelKind.Int or CelKind.Double;

    /// <summary>Of an <see cref="CelKind.Int"/>, and the ticks of durations and timestamps.</summary>
    public long Number => _number;

    public double Double => Kind == CelKind.Double ? BitConverter.Int64BitsToDouble(_number) : _number;

    public string String => (string)_object!;

    public CelMap Map => (CelMap)_object!;

    public CelValue[] List => (CelValue[])_object!;

    public static CelValue Of(bool value) => new(CelKind.Bool, value ? 1 : 0, null);

    public static CelValue Of(long value) => new(CelKind.Int, value, null);

    public static CelValue Of(double value) => new(CelKind.Double, BitConverter.DoubleToInt64Bits(value), null);

    /// <returns>An error where there is no text.</returns>
    public static CelValue Of(string? value) => value is null ? default : new(CelKind.String, 0, value);

    public static CelValue Of(TimeSpan value) => new(CelKind.Duration, value.Ticks, null);

    public static CelValue Of(DateTimeOffset value) => new(CelKind.Timestamp, value.UtcTicks, null);

    public static CelValue Of(CelMap value) => new(CelKind.Map, 0, value);

    public static CelValue Of(CelValue[] value) => new(CelKind.List, 0, value);

    /// <summary>Numbers of both kinds can be the same; of values of different kinds it is an error to ask.</summary>
    public static CelValue Equal(in CelValue left, in CelValue right)
    {
        if (left.IsError || right.IsError)
        {
            return default;
        }

        if (left.IsNumber && right.IsNumber)
        {
            return Of(left.Kind == CelKind.Int && right.Kind == CelKind.Int ? left._number == right._number : left.Double.Equals(right.Double));
        }

        if (left.Kind == CelKind.Null || right.Kind == CelKind.Null)
        {
            return Of(left.Kind == right.Kind);
        }

        if (left.Kind != right.Kind)
        {
            return default;
        }

        switch (left.Kind)
        {
            case CelKind.String:
                return Of(string.Equals(left.String, right.String, StringComparison.Ordinal));
            case CelKind.List:
                return EqualLists(left.List, right.List);
            case CelKind.Map:
                return default;
            default:
                return Of(left._number == right._number);
        }
    }

    /// <returns><see langword="null"/> where the two have no order.</returns>
    public static int? Compare(in CelValue left, in CelValue right)
    {
        if (left.IsNumber && right.IsNumber)
        {
            return left.Kind == CelKind.Int && right.Kind == CelKind.Int ? left._number.CompareTo(right._number)
                : double.IsNaN(left.Double) || double.IsNaN(right.Double) ? null
                : left.Double.CompareTo(right.Double);
        }

        return left.Kind != right.Kind ? null : left.Kind switch
        {
            CelKind.String => string.CompareOrdinal(left.String, right.String),
            CelKind.Duration or CelKind.Timestamp or CelKind.Bool => left._number.CompareTo(right._number),
            _ => null,
        };
    }

    /// <summary>As the function <c>string</c> writes it; <see langword="null"/> for what it does not take.</summary>
    public string? AsText()
        => Kind switch
        {
            CelKind.String => String,
            CelKind.Bool => _number != 0 ? "true" : "false",
            CelKind.Int => _number.ToString(CultureInfo.InvariantCulture),
            CelKind.Double => Double.ToString("R", CultureInfo.InvariantCulture),
            CelKind.Duration => (TimeSpan.FromTicks(_number).TotalSeconds).ToString("0.#########", CultureInfo.InvariantCulture) + "s",
            CelKind.Timestamp => new DateTimeOffset(_number, TimeSpan.Zero).ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture),
            _ => null,
        };

    private static CelValue EqualLists(CelValue[] left, CelValue[] right)
    {
        if (left.Length != right.Length)
        {
            return Of(false);
        }

        for (var i = 0; i < left.Length; i++)
        {
            var same = Equal(left[i], right[i]);
            if (!same.IsTrue)
            {
                return same;
            }
        }

        return Of(true);
    }
}
