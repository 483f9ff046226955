namespace Mesh.Client.Bypass;

/// <summary>The connections to one host.</summary>
internal sealed class BypassCount
{
    private long _value = 1;

    public long Value => Interlocked.Read(ref _value);

    public void Increment() => Interlocked.Increment(ref _value);
}
