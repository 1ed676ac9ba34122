// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

import "./Base.sol";
import {Item, Price as P} from "./Item.sol";

uint256 constant LIMIT = 10;

error Empty(string reason);

struct Line {
    uint256 count;
    address owner;
}

type Amount is uint256;

interface IPriced {
    function price(uint256 x) external view returns (uint256);
}

library Math {
    function double(uint256 x) internal pure returns (uint256) {
        return x * 2;
    }
}

abstract contract Cart is Base, IPriced {
    using Math for uint256;

    enum Color { Red, Green }

    event Added(address indexed who, uint256 count);

    mapping(address => Line) public lines;
    uint256 private constant MAX = 3;
    address owner;

    modifier onlyOwner() {
        require(msg.sender == owner, "no");
        _;
    }

    constructor(address o) {
        owner = o;
    }

    function add(uint256 count) public onlyOwner returns (bool) {
        uint256 local = helper(count);
        emit Added(msg.sender, local);
        return true;
    }

    receive() external payable {}
    fallback() external {}
}

function helper(uint256 x) pure returns (uint256) {
    return Math.double(x) + LIMIT;
}
