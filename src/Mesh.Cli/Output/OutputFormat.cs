namespace Mesh.Cli.Output;

/// <summary>How a command writes what it has found.</summary>
internal enum OutputFormat
{
    /// <summary>In columns.</summary>
    Table,

    /// <summary>As <see cref="Table"/>: the name that istioctl has for it.</summary>
    Short,

    /// <summary>All of it.</summary>
    Json,

    /// <summary>All of it.</summary>
    Yaml,
}
