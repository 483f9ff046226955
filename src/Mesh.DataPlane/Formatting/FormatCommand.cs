using System.Globalization;
using System.Net;

namespace Mesh.DataPlane.Formatting;

/// <summary>Whether a command takes an argument in parentheses.</summary>
internal enum FormatArgument
{
    None,
    Optional,
    Required,
}

/// <summary>A number that a command tells; <see langword="null"/> when there is none.</summary>
internal delegate long? FormatNumber(in FormatContext context);

/// <summary>An address that a command tells; <see langword="null"/> when there is none.</summary>
internal delegate EndPoint? FormatAddress(in FormatContext context);

/// <summary>Writes what a command tells without making a text of it first.</summary>
/// <returns><see langword="false"/> when there is nothing to tell.</returns>
internal delegate bool FormatWrite(in FormatContext context, Utf8Text text);

/// <summary>One command that a format may name.</summary>
/// <param name="Argument">Whether it takes an argument.</param>
/// <param name="LengthAllowed">Whether it may be cut off by <c>:length</c>.</param>
/// <param name="Create">Makes the value from the argument; throws <see cref="FormatException"/> when the argument is none.</param>
/// <param name="IsNumber">In JSON the value is written without quotes.</param>
internal sealed record FormatCommand(FormatArgument Argument, bool LengthAllowed, Func<string, FormatValue> Create, bool IsNumber = false)
{
    /// <summary>It has a value for connections that are carried as they are, and never for requests: the framework does not tell which connection carries one.</summary>
    public bool IsOfConnectionsAlone { get; init; }

    /// <summary>It has a value for requests that come in, and never for those that this process makes.</summary>
    public bool IsOfConnection { get; init; }

    /// <summary>It has a value when the request is over, and none before.</summary>
    public bool IsOfEnd { get; init; }

    /// <summary>Writes the value in the shortest way; <see langword="null"/> where that is by its text.</summary>
    public Func<string, FormatWrite?>? CreateWrite { get; init; }

    /// <summary>The value is this address, as it is written with its port.</summary>
    public FormatAddress? Address { get; init; }

    /// <summary>Writes the value as JSON, which may be an object; <see langword="null"/> where it is a text or a number.</summary>
    public Func<string, FormatWrite>? CreateJson { get; init; }

    /// <summary>The headers of the request that it reads; <see langword="null"/> for none.</summary>
    public Func<string, IEnumerable<string>>? Reads { get; init; }

    /// <summary>A command that tells a number.</summary>
    public static FormatCommand OfNumber(FormatArgument argument, Func<string, FormatNumber> create)
        => new(
            argument,
            LengthAllowed: true,
            text =>
            {
                var number = create(text);
                return (in FormatContext c) => number(c)?.ToString(CultureInfo.InvariantCulture);
            },
            IsNumber: true)
        {
            CreateWrite = text =>
            {
                var number = create(text);
                return (in FormatContext c, Utf8Text to) =>
                {
                    if (number(c) is not { } value)
                    {
                        return false;
                    }

                    to.Append(value);
                    return true;
                };
            },
        };

    /// <summary>A command that tells an address with its port.</summary>
    public static FormatCommand OfAddress(FormatAddress address)
        => new(FormatArgument.None, LengthAllowed: false, _ => (in FormatContext c) => address(c)?.ToString()) { Address = address };
}
