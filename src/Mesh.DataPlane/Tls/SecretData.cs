using Envoy.Config.Core.V3;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tls;

/// <summary>Where a certificate, a key or a password is (Envoy's <c>DataSource</c>). Never says what it holds.</summary>
internal sealed class SecretData
{
    private readonly byte[]? _bytes;
    private readonly string? _file;

    private SecretData(byte[]? bytes, string? file) => (_bytes, _file) = (bytes, file);

    /// <summary>Whether it came with the configuration.</summary>
    public bool IsInline => _file is null;

    /// <exception cref="ResourceRejectedException">It is nowhere.</exception>
    public static SecretData Compile(DataSource message, string path)
        => message.SpecifierCase switch
        {
            DataSource.SpecifierOneofCase.Filename => new SecretData(null, message.Filename),
            DataSource.SpecifierOneofCase.InlineBytes => new SecretData(message.InlineBytes.ToByteArray(), null),
            DataSource.SpecifierOneofCase.InlineString => new SecretData(System.Text.Encoding.UTF8.GetBytes(message.InlineString), null),
            DataSource.SpecifierOneofCase.EnvironmentVariable => Environment.GetEnvironmentVariable(message.EnvironmentVariable) is { Length: > 0 } value
                ? new SecretData(System.Text.Encoding.UTF8.GetBytes(value), null)
                : throw new ResourceRejectedException(path + ".environment_variable", $"'{message.EnvironmentVariable}' is not set, or empty"),
            _ => throw new ResourceRejectedException(path, "must have a filename, inline bytes, an inline string or an environment variable"),
        };

    /// <exception cref="IOException">There is no such file, or it cannot be read.</exception>
    public byte[] Read()
    {
        if (_file is null)
        {
            return _bytes!;
        }

        try
        {
            return File.ReadAllBytes(_file);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    public override string ToString() => _file ?? "inline";
}
