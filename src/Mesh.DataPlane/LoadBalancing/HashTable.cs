namespace Mesh.DataPlane.LoadBalancing;

/// <summary>Finds the host that a hash belongs to.</summary>
internal abstract class HashTable
{
    /// <param name="hash">The request's.</param>
    /// <param name="attempt">How many hosts were found and not wanted before; another number means, likely, another host.</param>
    public abstract ref readonly HashedHost Find(ulong hash, uint attempt);
}
